import { syncFilesystem } from '../../src/linux/sync-filesystem.ts'
import { expectRejection } from '../../src/conformance/expect-rejection.ts'
import { SHARED_MEMORY, useTempDir } from '../../src/conformance/temp-dir.ts'

describe('syncFilesystem', () => {
  const home = useTempDir(() => SHARED_MEMORY)

  it('waits for the filesystem of a directory', async () => {
    await syncFilesystem(home.path)
  })

  it('fails where there is nothing', async () => {
    await expectRejection(
      syncFilesystem(`${home.path}/absent`),
      Error,
      /ENOENT/,
    )
  })
})
