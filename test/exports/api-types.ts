/*
 * The public types, held by the compiler: the build fails where one changes. A
 * change here is a change for everybody who wrote a store or a driver.
 */
import type {
  CreateOptions,
  Driver,
  OpenGraphDriver,
  Plugin,
  ProtoDriver,
  ServedPlugin,
  ServeOptions,
  SimpleStore,
  Volume,
  VolumeListing,
  VolumeOptions,
  VolumeStorer,
  VolumeStoreSource,
} from 'stowage'
import type { NotFoundError, StowageError, VolumeNotFoundError } from 'stowage'
import { serve } from 'stowage'
import type { Outcome, Scorecard } from 'stowage/conformance'
import type { LayerDriver } from 'stowage/graph'
import type { wholeStore } from 'stowage/volume'

type Equal<A, B> = [A, B] extends [B, A] ? true : false
type Extends<A, B> = A extends B ? true : false

/** Compiles only for what is true. */
export type Holds<T extends true> = T

export type Promises = [
  Holds<Equal<typeof serve, (options: ServeOptions) => Promise<ServedPlugin>>>,
  Holds<Extends<ServedPlugin, Plugin>>,
  Holds<Equal<Plugin['stop'], () => Promise<void>>>,
  Holds<Equal<ServedPlugin['metrics'], () => Promise<string>>>,
  Holds<
    Equal<
      keyof ServeOptions,
      | 'name'
      | 'volumes'
      | 'graph'
      | 'dataRoot'
      | 'socket'
      | 'scope'
      | 'log'
      | 'metricsPort'
      | 'signals'
    >
  >,
  // One name is all that must be said.
  Holds<Extends<{ name: string }, ServeOptions>>,

  // Whatever does more can be served as what does less.
  Holds<Extends<VolumeStorer, SimpleStore>>,
  Holds<Extends<Driver, ProtoDriver>>,
  Holds<Extends<SimpleStore, NonNullable<ServeOptions['volumes']>>>,
  Holds<Extends<VolumeStoreSource, NonNullable<ServeOptions['volumes']>>>,
  Holds<
    Extends<
      ProtoDriver | Driver | LayerDriver,
      Awaited<ReturnType<OpenGraphDriver>>
    >
  >,
  Holds<Equal<ReturnType<typeof wholeStore>, VolumeStorer>>,

  // What a simple store must have, and nothing else.
  Holds<
    Equal<
      keyof SimpleStore,
      | 'name'
      | 'kind'
      | 'capabilities'
      | 'create'
      | 'get'
      | 'list'
      | 'mount'
      | 'unmount'
      | 'mounted'
      | 'remove'
      | 'close'
    >
  >,
  Holds<Equal<ReturnType<SimpleStore['get']>, Promise<Volume>>>,
  Holds<Equal<ReturnType<SimpleStore['list']>, Promise<VolumeListing>>>,
  Holds<Equal<Parameters<SimpleStore['mount']>, [name: string]>>,
  Holds<Extends<VolumeOptions['typed'], Readonly<Record<string, string>>>>,

  // What a driver must have.
  Holds<
    Extends<
      [id: string, parent: string, options: CreateOptions],
      Parameters<ProtoDriver['create']>
    >
  >,
  Holds<Equal<ReturnType<ProtoDriver['get']>, Promise<string>>>,

  // Errors have kinds, by which callers branch.
  Holds<Extends<VolumeNotFoundError, NotFoundError>>,
  Holds<Equal<NotFoundError['kind'], 'not-found'>>,
  Holds<
    Equal<
      StowageError['kind'],
      | 'already-exists'
      | 'in-use'
      | 'invalid-argument'
      | 'not-found'
      | 'not-supported'
      | 'unavailable'
    >
  >,

  Holds<Equal<Outcome['result'], 'kept' | 'broken' | 'skipped'>>,
  Holds<Equal<Scorecard['conforms'], boolean>>,
]

// @ts-expect-error: a plugin has a name
void ((): Promise<Plugin> => serve({}))

// @ts-expect-error: a volume is a value, which nobody changes
void ((volume: Volume) => (volume.name = 'other'))
