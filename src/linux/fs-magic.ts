import * as fs from 'node:fs/promises'

/**
 * What statfs(2) calls each filesystem, and how Docker prints it. The list and
 * its spelling are those of moby's graph drivers, which `docker info` users know.
 */
export const FsMagic = {
  aufs: 0x61756673,
  btrfs: 0x9123683e,
  cramfs: 0x28cd3d45,
  ecryptfs: 0xf15f,
  extfs: 0xef53,
  f2fs: 0xf2f52010,
  fuse: 0x65735546,
  gpfs: 0x47504653,
  jffs2: 0x72b6,
  jfs: 0x3153464a,
  nfs: 0x6969,
  overlayfs: 0x794c7630,
  ramfs: 0x858458f6,
  reiserfs: 0x52654973,
  smb: 0x517b,
  squashfs: 0x73717368,
  tmpfs: 0x01021994,
  vxfs: 0xa501fcf5,
  xfs: 0x58465342,
  zfs: 0x2fc12fc1,
} as const

const NAMES = new Map<number, string>(
  Object.entries(FsMagic).map(([name, magic]) => [magic, name]),
)

/** The name of the filesystem that `path` lies on, or `unknown`. */
export async function filesystemOf(path: string): Promise<string> {
  const { type } = await fs.statfs(path)
  // Some architectures sign-extend the magic number.
  return NAMES.get(type >>> 0) ?? 'unknown'
}
