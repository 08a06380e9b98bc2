import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Kept between runs. */
const CACHE = '/var/tmp/stowage-test'

/**
 * Downloads packages of a suite of Debian with lists and a status of their own, so
 * that the machine's are not touched, and unpacks them into one folder.
 * Arguments: the folder to work in, the suite, the packages.
 */
const FETCH = `
set -e
work=$1 suite=$2
shift 2
mirror=$(grep -rhoE 'https?://[^ ]*/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null |
  grep -v '^#' | head -n 1)
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/debs" "$work/root"
: >"$work/status"
key=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$key] \${mirror:-http://deb.debian.org/debian} $suite main" >"$work/sources.list"
apt() {
  apt-get -qq -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \\
    -o Dir::State::lists="$work/lists" -o Dir::State::status="$work/status" -o Dir::Cache="$work/cache" \\
    -o Acquire::Check-Valid-Until=false -o Acquire::Languages=none -o APT::Sandbox::User=root "$@"
}
apt update
cd "$work/debs"
apt download "$@"
for package in *.deb; do dpkg-deb --extract "$package" "$work/root"; done
`

/**
 * The folder with what is in \`packages\` of a suite of Debian, fetched once. What
 * only matters at run time is not looked for: name every package that is needed.
 */
export async function debianPackages(
  suite: string,
  packages: readonly string[],
): Promise<string> {
  const kept = join(CACHE, `${suite}-${packages.join('-')}`)
  try {
    await fs.access(kept)
    return kept
  } catch {
    await fs.mkdir(CACHE, { recursive: true, mode: 0o755 })
  }
  const work = await fs.mkdtemp(join(CACHE, 'new-'))
  try {
    await run('sh', ['-c', FETCH, 'sh', work, suite, ...packages])
    await fs.rename(join(work, 'root'), kept)
  } finally {
    await fs.rm(work, { recursive: true, force: true })
  }
  return kept
}
