/** A struct whose fields carry numbers instead of names, as Thrift's compact protocol writes it. */
export type ThriftStruct = ReadonlyMap<number, ThriftValue>
export type ThriftValue = boolean | number | string | ThriftStruct | readonly ThriftValue[]

/** Reads Thrift's compact protocol: the part of it that a Parquet file's headers use. */
export class ThriftReader {
  readonly #bytes: Buffer
  /** Where the next byte comes from; past the end of a struct once it is read. */
  offset: number

  constructor(bytes: Buffer, offset: number) {
    this.#bytes = bytes
    this.offset = offset
  }

  struct(): ThriftStruct {
    const fields = new Map<number, ThriftValue>()
    let id = 0
    for (;;) {
      const header = this.#byte()
      if (header === 0) return fields
      const step = header >> 4 // how far from the field before; 0 says that the number follows in full
      id = step === 0 ? this.#zigzag() : id + step
      fields.set(id, this.#value(header & 0x0f))
    }
  }

  #value(type: number): ThriftValue {
    if (type === 1 || type === 2) return type === 1
    if (type === 3) return this.#byte()
    if (type >= 4 && type <= 6) return this.#zigzag()
    if (type === 7) return this.#double()
    if (type === 8) return this.#text()
    if (type === 9) return this.#list()
    if (type === 12) return this.struct()
    throw new Error(`Thrift: type ${type} at byte ${this.offset} is not known`)
  }

  #list(): ThriftValue[] {
    const header = this.#byte()
    const length = header >> 4 === 15 ? this.#unsigned() : header >> 4
    return Array.from({ length }, () => this.#value(header & 0x0f))
  }

  #text(): string {
    const length = this.#unsigned()
    this.offset += length
    return this.#bytes.toString('utf8', this.offset - length, this.offset)
  }

  #double(): number {
    this.offset += 8
    return this.#bytes.readDoubleLE(this.offset - 8)
  }

  #zigzag(): number {
    const value = this.#unsigned()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  #unsigned(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#byte()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
  }

  #byte(): number {
    return this.#bytes[this.offset++]!
  }
}
