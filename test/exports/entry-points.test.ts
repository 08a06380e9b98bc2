import { readFile } from 'node:fs/promises'
import { expect } from 'chai'

/** All that the package exports, types included. What is here is held to semver. */
const EXPORTS: Readonly<Record<string, string>> = {
  stowage: `
    :Ability AlreadyExistsError :AnyDriver :Change :ChangeKind :CopyOptions
    :CreateOptions DEFAULT_STORE :DataSink :DataSource :DifferenceOptions
    :Driver :DriverCircumstances :ErrorKind :ExistsOptions :ExportOptions
    :Exporter :FileStat :IdMap :IdMaps :IdRange :ImportOptions :Importer
    InUseError InvalidArgumentError :LayerDriver :LayerId :LayerUsage :Log
    :LogFields :MountSpec NO_PARENT NotFoundError NotSupportedError
    :OpenGraphDriver :Plugin :ProtoDriver :Refusal :Resized :ResizedVolume
    SILENT :ServeOptions :ServedPlugin :ServedStore :SimpleCapabilities :SimpleStore
    :StatusLine :StoreCircumstances StowageError UnavailableError :ViewOptions
    :Volume :VolumeCapabilities VolumeExistsError :VolumeFacts
    VolumeInUseError :VolumeListing VolumeNotFoundError :VolumeOptions
    :VolumeProblem :VolumeStoreSource :VolumeStorer frozenVolume isErrno
    messageOf serve
  `,
  'stowage/graph': `
    :AnyDriver :ApplyPlace :Blank BtrfsLayers :BtrfsOptions :CreateOptions :Driver
    :DriverCircumstances :DriverOptions :DriverSource FsMagic :Hold Home
    :HomeOptions :InitParameters :LayerDriver :LayerId :LayerUsage
    :MakeDirectory :MountSpec MountedLayers NO_PARENT NaiveDiffDriver :NaiveDiffOptions :OpenDriver
    :OpenGraphDriver OverlayLayers :Owner :ProtoDriver QueuedDriver
    :ReadableChanges :StatusLine :Step VfsLayers :ViewOptions authorDriver
    builtInDrivers hold isMountpoint mount mountsBelow openDriver unmount
    unmountBelow
  `,
  'stowage/volume': `
    :Ability :CacheOptions :CatalogueEntry :CopyOptions :CopyingKeeping
    DEFAULT_STORE :ExistsOptions FolderStore :FolderStoreOptions :Holders
    :KeptVolume :OpenKeeping :OptionChanges :PutOptions :Refusal
    :RemoveOptions :Resized :ResizedVolume :ResizingKeeping :ShownSnapshot
    :SimpleCapabilities :SimpleStore :Snapshot :SnapshotOptions
    :StoreCircumstances :StoreParameters :StoreRoom :StoreSnapshots
    :StoreState :StoreStatus :StoreTrash :TrashListing :TrashOverview
    :TrashProblem :TrashRef :TrashTrouble :TrashedVolume :Volume
    :VolumeCapabilities :VolumeChanges VolumeExistsError :VolumeFacts
    VolumeInUseError :VolumeKeeping :VolumeListing VolumeLookupCache
    VolumeNotFoundError :VolumeOptions :VolumeProblem VolumeRecords
    :VolumeRecordsOptions :VolumeRepair :VolumeSnapshots
    VolumeStoreNotFoundError :VolumeStoreSource :VolumeStoreSpec
    :VolumeStorer :VolumeTrash :VolumeUsage frozenVolume label parseCapacity parseStoreSpecs
    parseVolumeOptions storeSource wholeStore
  `,
  'stowage/image': `
    :BranchEnd CachedImageStore DamagedImageError :DeleteStoreOptions
    :DeletedBranch DigestMismatchError :Image :ImageDraft :ImageFacts
    ImageInUseError :ImageListing ImageNotFoundError :ImagePartOptions
    :ImageProblem :ImageStore ImageStoreExistsError ImageStoreInUseError
    ImageStoreNotFoundError :ImageStorer :ImageStorerOptions :LayerImageStore
    LayerImageStorer :Metadata NameLookupCache SCRATCH :WritableLayer
    :WritableLayers :WriteOptions deleteBranch images
  `,
  'stowage/archive': `
    :ApplyOptions :ArchiveLimits :Bytes :Change :ChangeKind :ChangeTime
    :ComparedTrees :Configuration :Confinement DEFAULT_LIMITS :DataSink
    :DataSource :DiffOptions :DifferenceOptions :EntryType :ExportOptions
    :Exporter :FileStat :FileStatus :FilterSpec :IdMap :IdMaps :IdRange
    :ImportOptions :ImportResult :Importer MountDataSink :MountDataSinkOptions
    MountDataSource :MountDataSourceOptions NO_ID_MAPS :Omission :OverlayTrees
    :Owner :Part :Resolver :Settings :SkippedEntry :SparseRun Storage
    :StorageRef StoreRegistry :TarEntry :TarMember TarReader :TarReaderLimits
    :TarSink :TreeSource :TreeUsage applyLayer configuration copyTree
    decodeFilterSpec decompressed encodeFilterSpec formatRef joinTars
    layerChanges layerDiff ownedStream parseRef removeTree toContainer toHost
    usageOf
  `,
  'stowage/conformance': `
    :Area :Capability :ExamineOptions :Exceptions :OpenLayers :Opened :Opener
    :Outcome :Scorecard :SuiteOptions :TempDir describeDriver
    describeLayerDriver describeProtoDriver describeSimpleStore describeVolumeStorer examine
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
