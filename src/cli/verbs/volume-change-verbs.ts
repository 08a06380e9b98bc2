import { resolve } from 'node:path'
import { capacityBytes } from '../../admin/contract/values.ts'
import { InvalidArgumentError } from '../../base/errors.ts'
import { formatBytes } from '../amounts.ts'
import { FORCE, refuseUsed } from '../refuse-used.ts'
import type { Verb } from '../verb.ts'

const VOLUME = {
  name: 'volume',
  about: 'its name',
  completes: 'volume',
} as const

/** Volumes: change what they are. */
export const volumeChangeVerbs: readonly Verb[] = [
  {
    name: 'volume rename',
    summary: 'Give a volume another name',
    details:
      'Containers that were made with it would look for the old name, so it is refused while there are any; --force does it all the same',
    parameters: [VOLUME, { name: 'to', about: 'its new name' }],
    options: [FORCE],
    examples: [
      { line: 'stowage volume rename db db-old', does: 'out of the way' },
    ],
    async run(given, session) {
      const name = given.text('volume')
      await refuseUsed({ name, done: 'renamed' }, given, session)
      const daemon = await session.daemon()
      const volume = await daemon.ask('renameVolume', {
        params: { name },
        body: { to: given.text('to') },
      })
      session.show(volume, () => `Renamed ${name} to ${volume.name}\n`)
    },
  },
  {
    name: 'volume resize',
    summary: 'Give a volume another capacity',
    details:
      'It is made smaller only where its store can, while nobody uses it, and no containers name it; --force does that although they do',
    parameters: [
      VOLUME,
      { name: 'capacity', about: 'bytes, or such as 20GiB' },
    ],
    options: [FORCE],
    examples: [
      {
        line: 'stowage volume resize db 20GiB',
        does: 'more room, also while it is in use where the store can',
      },
    ],
    async run(given, session) {
      const name = given.text('volume')
      const capacity = given.text('capacity')
      const bytes = capacityBytes(capacity)
      const daemon = await session.daemon()
      const now = await daemon.ask('inspectVolume', { params: { name } })
      if (bytes < (now.capacity ?? 0)) {
        await refuseUsed({ name, done: 'made smaller' }, given, session)
      }
      const volume = await daemon.ask('resizeVolume', {
        params: { name },
        body: { capacity },
      })
      session.show(
        volume,
        () => `${name} may hold ${formatBytes(bytes)} ${volume.effective}\n`,
      )
    },
  },
  {
    name: 'volume set',
    summary: 'Change options and labels of a volume',
    parameters: [
      VOLUME,
      {
        name: 'option',
        about: 'KEY=VALUE, such as ro=true or label.tier=db',
        isMany: true,
        isOptional: true,
      },
    ],
    options: [
      {
        name: 'unset',
        value: 'KEY',
        about: 'take an option or a label away',
        isMany: true,
      },
    ],
    examples: [
      {
        line: 'stowage volume set db label.tier=db ro=true',
        does: 'a label, and read-only from the next mount on',
      },
      { line: 'stowage volume set db --unset label.tier', does: 'the label' },
    ],
    async run(given, session) {
      const gone = given.list('unset').map((key) => [key, null] as const)
      const options = { ...given.pairs('option'), ...Object.fromEntries(gone) }
      if (Object.keys(options).length === 0) {
        throw new InvalidArgumentError(
          'Nothing to set: give KEY=VALUE, or --unset KEY',
        )
      }
      const daemon = await session.daemon()
      const volume = await daemon.ask('setVolume', {
        params: { name: given.text('volume') },
        body: { options },
      })
      session.show(volume, () => `Changed ${volume.name}\n`)
    },
  },
  {
    name: 'volume protect',
    summary: 'Refuse removal of a volume, or allow it again',
    parameters: [VOLUME],
    options: [{ name: 'off', about: 'allow it again' }],
    examples: [
      { line: 'stowage volume protect db', does: 'nobody removes it' },
      { line: 'stowage volume protect db --off', does: 'as before' },
    ],
    async run(given, session) {
      const isProtected = !given.flag('off')
      const daemon = await session.daemon()
      const volume = await daemon.ask('protectVolume', {
        params: { name: given.text('volume') },
        body: { isProtected },
      })
      session.show(volume, () =>
        isProtected
          ? `${volume.name} is protected from removal\n`
          : `${volume.name} may be removed\n`,
      )
    },
  },
  {
    name: 'volume adopt',
    summary: 'Make a volume of an existing directory, which is never deleted',
    parameters: [
      { name: 'name', about: 'what it will be called' },
      { name: 'path', about: 'the directory', completes: 'file' },
    ],
    options: [
      {
        name: 'opt',
        short: 'o',
        value: 'KEY=VALUE',
        about: 'an option of the volume',
        isMany: true,
      },
    ],
    examples: [
      {
        line: 'stowage volume adopt photos /srv/photos',
        does: 'containers may use it as the volume "photos"',
      },
    ],
    async run(given, session) {
      const path = resolve(given.text('path'))
      const daemon = await session.daemon()
      const volume = await daemon.ask('adoptVolume', {
        body: {
          name: given.text('name'),
          path,
          options: given.pairs('opt'),
        },
      })
      session.show(volume, () => `Adopted ${path} as ${volume.name}\n`)
    },
  },
  {
    name: 'volume release',
    summary: 'Forget an adopted volume, and leave its directory as it is',
    parameters: [VOLUME],
    examples: [
      { line: 'stowage volume release photos', does: 'the files stay' },
    ],
    async run(given, session) {
      const name = given.text('volume')
      const daemon = await session.daemon()
      const released = await daemon.ask('releaseVolume', { params: { name } })
      session.show(
        released,
        () => `Released ${name}; its files stay in ${released.path}\n`,
      )
    },
  },
]
