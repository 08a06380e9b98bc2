import { readFile } from 'node:fs/promises'
import { expect } from 'chai'

/** All that the package exports, types included. What is here is held to semver. */
const EXPORTS: Readonly<Record<string, string>> = {
  stowage: `
    :Ability AlreadyExistsError :AnyDriver :Change :ChangeKind :CreateOptions
    DEFAULT_STORE :DataSink :DataSource :DifferenceOptions :Driver
    :DriverCircumstances :ErrorKind :ExportOptions :Exporter :FileStat :IdMap
    :IdMaps :IdRange :ImportOptions :Importer InUseError InvalidArgumentError
    :LayerDriver :LayerId :LayerUsage :Log :LogFields :MountSpec NO_PARENT
    NotFoundError NotSupportedError :OpenGraphDriver :Plugin :ProtoDriver
    :Refusal SILENT :ServeOptions :ServedStore :SimpleCapabilities
    :SimpleStore :StatusLine :StoreCircumstances StowageError UnavailableError
    :ViewOptions :Volume :VolumeCapabilities VolumeExistsError :VolumeFacts
    VolumeInUseError :VolumeListing VolumeNotFoundError :VolumeOptions
    :VolumeProblem :VolumeStoreSource :VolumeStorer frozenVolume isErrno
    messageOf serve
  `,
  'stowage/graph': `
    :AnyDriver :ApplyPlace BtrfsLayers :CreateOptions :Driver
    :DriverCircumstances :DriverOptions :DriverSource FsMagic :Hold Home
    :HomeOptions :InitParameters :LayerDriver :LayerId :LayerUsage :MountSpec
    MountedLayers NO_PARENT NaiveDiffDriver :NaiveDiffOptions :OpenDriver
    :OpenGraphDriver OverlayLayers :ProtoDriver QueuedDriver :ReadableChanges
    :StatusLine VfsLayers :ViewOptions authorDriver builtInDrivers hold
    isMountpoint mount mountsBelow openDriver unmount
  `,
  'stowage/volume': `
    :Ability :CacheOptions :CatalogueEntry DEFAULT_STORE FolderStore
    :FolderStoreOptions :KeptVolume :OpenKeeping :Refusal :SimpleCapabilities
    :SimpleStore :Snapshot :StoreCircumstances :StoreRoom :StoreSnapshots
    :StoreState :StoreStatus :StoreTrash :Volume :VolumeCapabilities
    VolumeExistsError :VolumeFacts VolumeInUseError :VolumeKeeping
    :VolumeListing VolumeLookupCache VolumeNotFoundError :VolumeOptions
    :VolumeProblem VolumeStoreNotFoundError :VolumeStoreSource
    :VolumeStoreSpec :VolumeStorer :VolumeUsage frozenVolume label
    parseCapacity parseStoreSpecs parseVolumeOptions storeSource wholeStore
  `,
  'stowage/image': `
    CachedImageStore DamagedImageError :DeleteStoreOptions :DeletedBranch
    DigestMismatchError :Image :ImageDraft :ImageFacts ImageInUseError
    :ImageListing ImageNotFoundError :ImagePartOptions :ImageProblem
    :ImageStore ImageStoreExistsError ImageStoreInUseError
    ImageStoreNotFoundError :ImageStorer :ImageStorerOptions LayerImageStorer
    :Metadata NameLookupCache SCRATCH :WriteOptions deleteBranch images
  `,
  'stowage/archive': `
    :ApplyOptions :ArchiveLimits :Change :ChangeKind :ComparedTrees
    :Configuration DEFAULT_LIMITS :DataSink :DataSource :DiffOptions
    :DifferenceOptions :ExportOptions :Exporter :FileStat :FilterSpec :IdMap
    :IdMaps :IdRange :ImportOptions :Importer MountDataSink MountDataSource
    NO_ID_MAPS :Omission :OverlayTrees :Part :Resolver :Settings Storage
    :StorageRef StoreRegistry :TarEntry :TarMember TarReader :TreeSource
    :TreeUsage applyLayer configuration copyTree decodeFilterSpec decompressed
    encodeFilterSpec formatRef joinTars layerChanges layerDiff ownedStream
    parseRef removeTree toContainer toHost usageOf
  `,
  'stowage/conformance': `
    :Area :Capability :Check :ExamineOptions :Exceptions :OpenLayers :Opened
    :Opener :Outcome :Scorecard :SuiteOptions :TempDir describeDriver
    describeLayerDriver describeProtoDriver describeVolumeStorer examine
    missing needs scorecard served useTempDir
  `,
}

/** `export { a, type B } from '…'`, and `export type { C } from '…'`. */
const LIST = /export (type )?\{([^}]*)\} from '([^']+)'/g

describe('The package', () => {
  for (const [entry, names] of Object.entries(EXPORTS)) {
    it(`exports from "${entry}" exactly what it means to`, async () => {
      const found = await exportsOf(entry)
      expect(found).to.deep.equal(names.trim().split(/\s+/))
    })

    it(`exports from "${entry}" at run time what is no type`, async () => {
      const loaded: object = await import(entry)
      const values = names.split(/\s+/).filter((name) => !isType(name))
      const present = Object.keys(loaded).toSorted()
      expect(present).to.deep.equal(values.filter(Boolean).toSorted())
    })
  }

  it('has these entry points, and its own description', async () => {
    const { exports } = JSON.parse(await readFile('package.json', 'utf8'))
    expect(Object.keys(exports)).to.deep.equal([
      ...Object.keys(EXPORTS).map((entry) => entry.replace('stowage', '.')),
      './package.json',
    ])
  })
})

async function exportsOf(entry: string): Promise<readonly string[]> {
  const [, name = 'stowage'] = entry.split('/')
  const source = await readFile(`src/exports/${name}.ts`, 'utf8')
  const names = [...source.matchAll(LIST)].flatMap(([, allTypes, list]) =>
    list!
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean)
      .map((part) => (allTypes ? part : part.replace(/^type /, ':')))
      .map((part) => (allTypes ? `:${part}` : part)),
  )
  return names.toSorted(byName)
}

/** Types are written with a colon before them. */
function isType(name: string): boolean {
  return name.startsWith(':')
}

function byName(a: string, b: string): number {
  const [left, right] = [a, b].map((name) => name.replace(':', ''))
  return left! < right! ? -1 : 1
}
