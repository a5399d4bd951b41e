import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'
import { csvParse } from 'd3-dsv'
import { type FileMetaData, parquetMetadata, parquetReadObjects } from 'hyparquet'
import type { Airports, Flights, WeatherDays, WeatherHours } from './tables.ts'

const folder = join(dirname(createRequire(import.meta.url).resolve('vega-datasets')), '..', 'data')

/** Every airport of the United States that the flight records can name. */
export function readAirports(): Airports[] {
  return readCsv('airports.csv').map(({ iata, name, city, state }) => ({
    code: iata!,
    name: name!,
    city: city!,
    state: state!,
  }))
}

/** 20,000 flights of January to March 2001, as the United States' Bureau of Transportation recorded them. */
export function readFlights(): Flights[] {
  // The package describes its own file so: every record holds these five.
  const records = JSON.parse(readFileSync(join(folder, 'flights-20k.json'), 'utf8')) as FlightRecord[]
  return records.map(({ date, ...record }, index) => ({
    id: index + 1,
    ...record,
    departs_at: date.replaceAll('/', '-').replace(' ', 'T'),
  }))
}

/**
 * 200,000 flights of the same records, taken evenly from the three million in flights-3m.parquet. (The
 * package's own flights-200k leaves out date, origin and destination: nothing to put on a board.)
 */
export async function readFlightsInFull(count = 200_000): Promise<Flights[]> {
  const flights: Flights[] = []
  const { buffer, byteOffset, byteLength } = readFileSync(join(folder, 'flights-3m.parquet'))
  // A file is never read into shared memory.
  const file = (buffer as ArrayBuffer).slice(byteOffset, byteOffset + byteLength)
  const metadata = parquetMetadata(file)
  const rows = Number(metadata.num_rows)
  const wanted = Array.from({ length: count }, (_, index) => Math.floor((index * rows) / count))

  let next = 0
  for (const { start, end } of groupsOf(metadata)) {
    const records = await parquetReadObjects({ file, metadata, compressors, rowStart: start, rowEnd: end })
    for (; next < count && wanted[next]! < end; next++) {
      // The file's own schema says so: texts, whole numbers of 64 bits, and times.
      const record = records[wanted[next]! - start] as ParquetRecord
      flights.push({
        id: next + 1,
        origin: record.origin,
        destination: record.destination,
        departs_at: record.date.toISOString().slice(0, 16),
        delay: Number(record.delay),
        distance: Number(record.distance),
      })
    }
  }
  return flights
}

interface ParquetRecord {
  readonly date: Date
  readonly delay: bigint
  readonly distance: bigint
  readonly origin: string
  readonly destination: string
}

const compressors = { ZSTD: (packed: Uint8Array) => zstdDecompressSync(packed) }

/** The file is written in groups of rows; one after the other keeps the memory small. */
function groupsOf({ row_groups }: FileMetaData): { start: number; end: number }[] {
  let end = 0
  return row_groups.map(({ num_rows }) => {
    const start = end
    end += Number(num_rows)
    return { start, end }
  })
}

/** The days of 2012 to 2015 in Seattle and New York: the only two cities whose weather the package holds. */
export function readWeatherDays(): WeatherDays[] {
  return readCsv('weather.csv').map((row) => ({
    city: row.location!,
    day: row.date!,
    weather: row.weather!,
    precipitation: Number(row.precipitation),
    temp_max: Number(row.temp_max),
    temp_min: Number(row.temp_min),
    wind: Number(row.wind),
  }))
}

/** The normal of each hour of the year, in Seattle. */
export function readWeatherHours(): WeatherHours[] {
  return readCsv('seattle-weather-hourly-normals.csv').map((row) => ({
    city: 'Seattle',
    hour: row.date!.slice(5, 13),
    temperature: Number(row.temperature),
    wind: Number(row.wind),
    pressure: Number(row.pressure),
  }))
}

interface FlightRecord {
  /** `2001/01/01 00:47` */
  readonly date: string
  readonly delay: number
  readonly distance: number
  readonly origin: string
  readonly destination: string
}

function readCsv(name: string): readonly Record<string, string>[] {
  return csvParse(readFileSync(join(folder, name), 'utf8'))
}
