/** One volume as far as the model knows it. */
export interface ModelVolume {
  /** What it holds; of an adopted one, see its directory. */
  readonly text: string
  /** The directory that it was made of, if any. */
  readonly adopted: string
  readonly snapshots: Readonly<Record<string, string>>
  /** 0 if unlimited. */
  readonly capacity: number
  readonly label: string
  readonly isProtected: boolean
}

/** All volumes, and those in the trash, the last removed last. */
export interface Model {
  readonly volumes: Readonly<Record<string, ModelVolume>>
  readonly removed: readonly (readonly [string, ModelVolume])[]
  readonly directories: Directories
}

/** The files of directories that may be adopted, by name. */
export type Directories = Readonly<
  Record<string, Readonly<Record<string, string>>>
>

/** What can be seen of the real ones. */
export interface Seen {
  readonly volumes: Readonly<Record<string, ModelVolume>>
  readonly removed: readonly string[]
  readonly directories: Directories
}

/** What is done to the volumes, by the model and by those that are real. */
export type Act =
  | { readonly do: 'show' }
  | {
      readonly do: 'create'
      readonly volume: string
      readonly options: Readonly<Record<string, string>>
    }
  | { readonly do: 'write'; readonly volume: string; readonly text: string }
  | { readonly do: 'label'; readonly volume: string; readonly text: string }
  | { readonly do: 'remove'; readonly volume: string }
  | { readonly do: 'restore'; readonly volume: string }
  | { readonly do: 'empty' }
  | {
      readonly do: 'adopt'
      readonly volume: string
      readonly directory: string
    }
  | { readonly do: 'release'; readonly volume: string }
  | { readonly do: 'protect'; readonly volume: string; readonly on: boolean }
  | {
      readonly do: 'snapshot' | 'forget' | 'rollback'
      readonly volume: string
      readonly snapshot: string
    }
  | { readonly do: 'clone'; readonly source: string; readonly volume: string }
  | { readonly do: 'rename'; readonly volume: string; readonly to: string }
  | { readonly do: 'resize'; readonly volume: string; capacity: number }

/** What the store can do, which the model takes its word for. */
export interface ModelStore {
  readonly capacity: number
  readonly resizes: boolean
  readonly snapshots: boolean
  readonly keepsRemoved: boolean
  readonly adopts: boolean
}

/** Directories that are somebody else's, with what is in them from the start. */
const PRECIOUS: Directories = {
  theirs: { precious: 'precious' },
  others: { precious: 'precious' },
}

export const EMPTY: Model = { volumes: {}, removed: [], directories: PRECIOUS }

/** What rollbacks save is called after the time, which the model does not know. */
const SAVED = 'before-rollback-'

/** The model after `act`, or the kind of the failure that there must be. */
export function after(
  model: Model,
  act: Act,
  store: ModelStore,
): Model | string {
  if (act.do === 'show') return model
  if (act.do === 'empty') return { ...model, removed: [] }
  const { volumes, removed } = model
  const volume = volumes[act.volume]
  const put: Put = (name, changed, others = volumes) => ({
    ...model,
    volumes: { ...others, [name]: changed },
  })

  if (act.do === 'create') {
    if (volume !== undefined) return 'already-exists'
    return put(act.volume, { ...NEW, capacity: store.capacity })
  }
  if (act.do === 'adopt') {
    if (!store.adopts) return 'not-supported'
    if (volume !== undefined) return 'already-exists'
    return put(act.volume, { ...NEW, adopted: act.directory })
  }
  if (act.do === 'restore') {
    const last = removed.findLast(([name]) => name === act.volume)
    if (last === undefined) return 'not-found'
    if (volume !== undefined) return 'already-exists'
    const left = removed.filter((each) => each !== last)
    return { ...put(act.volume, last[1]), removed: left }
  }
  if (act.do === 'clone') return cloned(volumes, act, store, put)
  if (volume === undefined) return 'not-found'
  const { [act.volume]: _gone, ...others } = volumes

  if ('snapshot' in act) return snapshotted(volume, act, store, put)
  if (act.do === 'remove') {
    if (volume.isProtected) return 'in-use'
    const kept = store.keepsRemoved ? [[act.volume, volume] as const] : []
    return { ...model, volumes: others, removed: [...removed, ...kept] }
  }
  if (act.do === 'release') {
    if (volume.adopted === '') return 'invalid-argument'
    if (volume.isProtected) return 'in-use'
    return { ...model, volumes: others }
  }
  if (act.do === 'rename') {
    if (volumes[act.to] !== undefined) return 'already-exists'
    return put(act.to, volume, others)
  }
  if (act.do === 'resize' && !store.resizes) return 'not-supported'
  if (act.do === 'write' && volume.adopted !== '') {
    return written(model, volume.adopted, act.text)
  }
  return put(act.volume, { ...volume, ...changeBy(act) })
}

function written(model: Model, directory: string, text: string): Model {
  const { directories } = model
  const files = { ...directories[directory], text }
  return { ...model, directories: { ...directories, [directory]: files } }
}

function changeBy(
  act: Extract<Act, { readonly do: 'write' | 'label' | 'protect' | 'resize' }>,
): Partial<ModelVolume> {
  if (act.do === 'write') return { text: act.text }
  if (act.do === 'label') return { label: act.text }
  if (act.do === 'protect') return { isProtected: act.on }
  return { capacity: act.capacity }
}

type Put = (
  name: string,
  volume: ModelVolume,
  others?: Model['volumes'],
) => Model

function cloned(
  volumes: Model['volumes'],
  { source, volume }: Extract<Act, { do: 'clone' }>,
  store: ModelStore,
  put: Put,
): Model | string {
  const [name = '', snapshot] = source.split('@')
  const present = volumes[name]
  if (present === undefined) return 'not-found'
  if (!store.snapshots) return 'not-supported'
  if (volumes[volume] !== undefined) return 'already-exists'
  const text =
    snapshot === undefined ? present.text : present.snapshots[snapshot]
  if (text === undefined) return 'not-found'
  if (present.adopted !== '') return 'not-supported'
  return put(volume, { ...NEW, text, capacity: present.capacity })
}

function snapshotted(
  volume: ModelVolume,
  act: Extract<Act, { readonly snapshot: string }>,
  store: ModelStore,
  put: Put,
): Model | string {
  const { snapshots } = volume
  if (act.do === 'snapshot') {
    if (!store.snapshots || volume.adopted !== '') return 'not-supported'
    if (snapshots[act.snapshot] !== undefined) return 'already-exists'
    const taken = { ...snapshots, [act.snapshot]: volume.text }
    return put(act.volume, { ...volume, snapshots: taken })
  }
  if (!store.snapshots && act.do === 'rollback') return 'not-supported'
  const text = snapshots[act.snapshot]
  if (text === undefined) return 'not-found'
  if (act.do === 'forget') {
    const { [act.snapshot]: _gone, ...left } = snapshots
    return put(act.volume, { ...volume, snapshots: left })
  }
  const saved = { ...snapshots, [nextSaved(snapshots)]: volume.text }
  return put(act.volume, { ...volume, text, snapshots: saved })
}

/**
 * Whether the model knows too little for `act`: what a volume of less than it had at
 * its snapshots can still be rolled back to.
 */
export function isBeyond({ volumes }: Model, act: Act): boolean {
  if (act.do !== 'resize') return false
  const { capacity = 0, snapshots = {} } = volumes[act.volume] ?? {}
  return act.capacity < capacity && Object.keys(snapshots).length > 0
}

/** The states that a kill in the middle of `act` may leave. */
export function between(
  before: Model,
  act: Act,
  store: ModelStore,
): readonly Model[] {
  const done = after(before, act, store)
  if (typeof done === 'string') return [before]
  if (act.do === 'empty') {
    // Those removed first are deleted first.
    const { removed } = before
    return [before, ...removed.map((_, nth) => without(before, nth + 1))]
  }
  if (act.do !== 'rollback') return [before, done]
  const { volumes } = before
  const [volume, rolled] = [volumes[act.volume], done.volumes[act.volume]]
  if (volume === undefined || rolled === undefined) return [before]
  // The present is saved first.
  const saved = { ...volume, snapshots: rolled.snapshots }
  const middle = { ...volumes, [act.volume]: saved }
  return [before, { ...before, volumes: middle }, done]
}

function without(model: Model, removedFirst: number): Model {
  return { ...model, removed: model.removed.slice(removedFirst) }
}

/** What can be seen of the model, with what was saved under names that compare. */
export function seenOf({ volumes, removed, directories }: Model): Seen {
  const shown = Object.entries(volumes).map(([name, volume]) => {
    const { adopted, text } = volume
    const seen = adopted === '' ? text : (directories[adopted]?.text ?? '')
    return [name, { ...volume, text: seen }] as const
  })
  return comparable({
    volumes: Object.fromEntries(shown),
    removed: removed.map(([name]) => name),
    directories,
  })
}

export function comparable({ volumes, removed, directories }: Seen): Seen {
  const named = Object.entries(volumes).map(([name, volume]) => {
    const { snapshots } = volume
    const all = Object.entries(snapshots).toSorted(([one], [other]) =>
      one < other ? -1 : 1,
    )
    const kept = all.filter(([each]) => !each.startsWith(SAVED))
    const saved = all
      .filter(([each]) => each.startsWith(SAVED))
      .map(([, text], index) => [`${SAVED}${index}`, text] as const)
    const renamed = Object.fromEntries([...kept, ...saved])
    return [name, { ...volume, snapshots: renamed }] as const
  })
  return {
    volumes: Object.fromEntries(named),
    removed: removed.toSorted(),
    directories,
  }
}

function nextSaved(snapshots: Readonly<Record<string, string>>): string {
  const count = Object.keys(snapshots).filter((name) =>
    name.startsWith(SAVED),
  ).length
  return `${SAVED}${String(count).padStart(4, '0')}`
}

const NEW: ModelVolume = {
  text: '',
  adopted: '',
  snapshots: {},
  capacity: 0,
  label: '',
  isProtected: false,
}
