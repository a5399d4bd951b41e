import { zstdDecompressSync } from 'node:zlib'
import { ThriftReader, type ThriftStruct, type ThriftValue } from './thrift.ts'

export type Cell = number | string

/**
 * The named columns of a Parquet file, each from its first row to its last. Reads what the flight records
 * use: flat columns of numbers and texts without gaps, plain or through a dictionary, packed by Zstandard.
 * Anything else is refused by name.
 */
export function readParquet(file: Buffer, names: readonly string[]): Record<string, Cell[]> {
  const footerLength = file.readUInt32LE(file.length - 8)
  const footer = new ThriftReader(file, file.length - 8 - footerLength).struct()
  const columns = Object.fromEntries(names.map((name) => [name, [] as Cell[]]))
  for (const group of structs(footer, 4)) {
    for (const chunk of structs(group, 1)) {
      const description = struct(chunk, 3)
      const column = columns[list(description, 3).join('.')]
      if (column) readChunk(file, description, column)
    }
  }
  return columns
}

/** A chunk holds the rows of one column in one group: perhaps a dictionary, then pages. */
function readChunk(file: Buffer, description: ThriftStruct, column: Cell[]): void {
  const [type, codec, count] = [number(description, 1), number(description, 4), number(description, 5)]
  if (codec !== zstandard) throw new Error(`Parquet: codec ${codec} is not supported`)
  let dictionary: Cell[] = []
  let offset = description.has(11) ? number(description, 11) : number(description, 9)
  for (const end = column.length + count; column.length < end; ) {
    const reader = new ThriftReader(file, offset)
    const header = reader.struct()
    offset = reader.offset + number(header, 3)
    const page = zstdDecompressSync(file.subarray(reader.offset, offset))
    if (number(header, 1) === dictionaryPage) dictionary = readPlain(page, type, number(struct(header, 7), 1))
    else readPage(page, type, struct(header, 5), dictionary, column)
  }
}

function readPage(
  page: Buffer,
  type: number,
  header: ThriftStruct,
  dictionary: Cell[],
  column: Cell[],
): void {
  const [count, encoding] = [number(header, 1), number(header, 2)]
  // First which cells are empty; the flight records have none, so there is only its length to step over.
  const cells = page.subarray(4 + page.readUInt32LE(0))
  if (encoding === plain) {
    for (const cell of readPlain(cells, type, count)) column.push(cell)
  } else if (encoding === throughDictionary || encoding === throughPlainDictionary) {
    for (const index of readPacked(cells.subarray(1), cells[0]!, count)) column.push(dictionary[index]!)
  } else {
    throw new Error(`Parquet: encoding ${encoding} is not supported`)
  }
}

function readPlain(bytes: Buffer, type: number, count: number): Cell[] {
  const width = widths[type]
  if (width === undefined) throw new Error(`Parquet: type ${type} is not supported`)
  let offset = 0
  return Array.from({ length: count }, () => {
    const at = offset
    if (type === texts) {
      offset += 4 + bytes.readUInt32LE(at)
      return bytes.toString('utf8', at + 4, offset)
    }
    offset += width
    return width === 4 ? bytes.readInt32LE(at) : Number(bytes.readBigInt64LE(at))
  })
}

/** Small numbers of `width` bits, as runs of one value or packed eight at a time. */
function readPacked(bytes: Buffer, width: number, count: number): number[] {
  const values: number[] = []
  let offset = 0
  while (values.length < count) {
    let header = 0
    for (let shift = 0, more = true; more; shift += 7) {
      const byte = bytes[offset++]!
      header |= (byte & 0x7f) << shift
      more = byte >= 0x80
    }
    const isRun = (header & 1) === 0
    const length = isRun ? header >> 1 : (header >> 1) * 8
    const size = Math.ceil(isRun ? width / 8 : (length * width) / 8)
    for (let i = 0; i < length && values.length < count; i++) {
      values.push(bits(bytes, offset * 8 + (isRun ? 0 : i * width), width))
    }
    offset += size
  }
  return values
}

function bits(bytes: Buffer, from: number, width: number): number {
  let value = 0
  for (let i = 0; i < width; ) {
    const taken = Math.min(width - i, 8 - ((from + i) % 8))
    const byte = bytes[(from + i) >> 3]! >> ((from + i) % 8)
    value |= (byte & ((1 << taken) - 1)) << i
    i += taken
  }
  return value
}

const zstandard = 6
const dictionaryPage = 2
const plain = 0
const throughPlainDictionary = 2
const throughDictionary = 8
const texts = 6
/** Bytes of a plain cell by Parquet's number of its type; a text says its own. */
const widths: Record<number, number> = { 1: 4, 2: 8, [texts]: 0 }

// What stands in which field is fixed by Parquet's own definition (parquet.thrift), hence the casts.
const number = (of: ThriftStruct, field: number) => of.get(field) as number
const struct = (of: ThriftStruct, field: number) => of.get(field) as ThriftStruct
const structs = (of: ThriftStruct, field: number) => of.get(field) as readonly ThriftStruct[]
const list = (of: ThriftStruct, field: number) => of.get(field) as readonly ThriftValue[]
