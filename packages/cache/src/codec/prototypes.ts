const objects = new WeakMap<object, boolean>()

/**
 * True if an object with this prototype reads the same as a copy made of its fields: it is nobody's, or that of
 * `{}`, or of classes that have fields only. One with methods or getters would lose them on its way.
 */
export function isFieldsOnly(prototype: object | null): boolean {
  return prototype === Object.prototype || prototype === null || isKnownFieldsOnly(prototype)
}

function isKnownFieldsOnly(prototype: object): boolean {
  let isSo = objects.get(prototype)
  if (isSo === undefined) {
    isSo = isRoot(prototype) || (hasNoMembers(prototype) && isFieldsOnly(Object.getPrototypeOf(prototype)))
    objects.set(prototype, isSo)
  }
  return isSo
}

/** True for the prototypes that the language itself gives to arrays, dates and the like: not for subclasses of them. */
export function isBuiltIn(prototype: object | null, ancestors: number): boolean {
  let at = prototype
  for (let step = 0; step < ancestors && at !== null; step++) at = Object.getPrototypeOf(at)
  return at !== null && isRoot(at)
}

/** The `Object.prototype` of any realm: test runners give every file globals of its own. */
function isRoot(prototype: object): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'hasOwnProperty')
}

function hasNoMembers(prototype: object): boolean {
  return Reflect.ownKeys(prototype).every((member) => member === 'constructor')
}
