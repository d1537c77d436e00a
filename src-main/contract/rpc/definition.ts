/**
 * How a service is declared: once, as a table of methods and events. Both sides get their types from the table, the process side its
 * checks too: arguments come from a window, which may be a browser, so each has a schema. Results come from our own process and
 * are types alone.
 */
import * as v from 'valibot'

type Schema = v.GenericSchema<unknown, unknown>

declare const resultType: unique symbol

export interface Method<Arguments extends readonly unknown[], Result> {
  readonly check: v.GenericSchema<unknown, Arguments>
  readonly [resultType]?: Result
}

export interface EventOf<Value> {
  readonly [resultType]?: Value
}

export interface Service {
  readonly methods: Readonly<Record<string, Method<readonly unknown[], unknown>>>
  readonly events: Readonly<Record<string, EventOf<unknown>>>
}

/** All services by name. */
export type Services = Readonly<Record<string, Service>>

type Values<Schemas extends readonly Schema[]> = { -readonly [Index in keyof Schemas]: v.InferOutput<Schemas[Index]> }

/** `method(schema, …).returns<Result>()`: the schemas are those of the arguments, in order. */
export function method<const Schemas extends readonly Schema[]>(...schemas: Schemas) {
  const check = v.strictTuple([...schemas]) as unknown as v.GenericSchema<unknown, Values<Schemas>>
  return { returns: <Result>(): Method<Values<Schemas>, Result> => ({ check }) }
}

export function event<Value>(): EventOf<Value> {
  return {}
}

export type ArgumentsOf<M> = M extends Method<infer Arguments, unknown> ? Arguments : never
export type ResultOf<M> = M extends Method<readonly unknown[], infer Result> ? Result : never
export type ValueOf<E> = E extends EventOf<infer Value> ? Value : never

/** What a window calls. */
export type ServiceProxy<S extends Service> = {
  readonly [Name in keyof S['methods']]: (
    ...args: ArgumentsOf<S['methods'][Name]>
  ) => Promise<ResultOf<S['methods'][Name]>>
} & {
  /** Listens to an event until the returned function is called. */
  on<Name extends keyof S['events']>(name: Name, listener: (value: ValueOf<S['events'][Name]>) => void): () => void
}

/** What answers. `Context` says which window asks. */
export type ServiceHandlers<S extends Service, Context> = {
  readonly [Name in keyof S['methods']]: (
    context: Context,
    ...args: ArgumentsOf<S['methods'][Name]>
  ) => Promise<ResultOf<S['methods'][Name]>> | ResultOf<S['methods'][Name]>
}
