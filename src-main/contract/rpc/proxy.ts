/** The window's side: services as objects whose methods are calls and whose events can be listened to. */
import type { ServiceProxy, Services } from './definition.ts'
import { TroubleError, type FromHost, type ToHost } from './messages.ts'

/** One way to the process side; order is kept, nothing is lost while it is open. */
export interface Carrier {
  send(message: ToHost): void
  /** Called once, before anything is sent. */
  onMessage(listener: (message: FromHost) => void): void
  /** `listener` is called once, when nothing can come any more. */
  onClose(listener: () => void): void
}

interface Pending {
  resolve(value: unknown): void
  reject(error: Error): void
}

const lost = () =>
  new TroubleError({ cause: 'lost', sentence: 'the connection to Longmode was lost; reload the window to go on' })

/** Proxies for all of `services` over one carrier. A failed call rejects with TroubleError. */
export function connectServices<T extends Services>(
  services: T,
  carrier: Carrier,
): { readonly [Name in keyof T]: ServiceProxy<T[Name]> } {
  const pending = new Map<number, Pending>()
  const listeners = new Map<string, Set<(value: unknown) => void>>()
  let nextId = 1
  let open = true
  carrier.onMessage((message) => {
    if (message.type === 'event') {
      for (const listener of listeners.get(`${message.service}.${message.event}`) ?? []) listener(message.value)
      return
    }
    const call = pending.get(message.id)
    pending.delete(message.id)
    if (message.type === 'result') call?.resolve(message.value)
    else call?.reject(new TroubleError(message.trouble))
  })
  carrier.onClose(() => {
    open = false
    for (const call of pending.values()) call.reject(lost())
    pending.clear()
  })
  const call = (service: string, method: string, args: readonly unknown[]) =>
    new Promise((resolve, reject) => {
      if (!open) return reject(lost())
      const id = nextId++
      pending.set(id, { resolve, reject })
      carrier.send({ type: 'call', id, service, method, args })
    })
  const on = (key: string, listener: (value: unknown) => void) => {
    const set = listeners.get(key) ?? new Set()
    listeners.set(key, set.add(listener))
    return () => void set.delete(listener)
  }
  const proxies = Object.entries(services).map(([service, { methods }]) => [
    service,
    {
      ...Object.fromEntries(
        Object.keys(methods).map((name) => [name, (...args: unknown[]) => call(service, name, args)]),
      ),
      on: (name: string, listener: (value: unknown) => void) => on(`${service}.${name}`, listener),
    },
  ])
  return Object.fromEntries(proxies) as { readonly [Name in keyof T]: ServiceProxy<T[Name]> }
}
