import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { readParquet } from './parquet.ts'
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
export function readFlightsInFull(count = 200_000): Flights[] {
  const file = readFileSync(join(folder, 'flights-3m.parquet'))
  const columns = readParquet(file, ['date', 'delay', 'distance', 'origin', 'destination'])
  const rows = columns.date!.length
  return Array.from({ length: count }, (_, index) => {
    const row = Math.floor((index * rows) / count)
    return {
      id: index + 1,
      origin: String(columns.origin![row]),
      destination: String(columns.destination![row]),
      // Parquet counts in microseconds.
      departs_at: new Date(Number(columns.date![row]) / 1_000).toISOString().slice(0, 16),
      delay: Number(columns.delay![row]),
      distance: Number(columns.distance![row]),
    }
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

function readCsv(name: string): Record<string, string>[] {
  const [header, ...lines] = readFileSync(join(folder, name), 'utf8').trim().split(/\r?\n/)
  const columns = splitCsvLine(header!)
  return lines.map((line) => {
    const cells = splitCsvLine(line)
    return Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? '']))
  })
}

/** A quoted cell may hold commas, and a doubled quote for a quote. */
function splitCsvLine(line: string): string[] {
  const cells = line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)
  return Array.from(cells, ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '')
}
