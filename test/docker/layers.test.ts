import { describeDockerOn } from './describe-docker-on.ts'

describeDockerOn('vfs', { filesystem: 'xfs', on: ['xfs', 'loop'] })
describeDockerOn('overlay', { filesystem: 'ext4', on: ['overlay', 'loop'] })
describeDockerOn('btrfs', { filesystem: 'btrfs', on: ['btrfs', 'loop'] })
