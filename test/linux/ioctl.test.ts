import { expect } from 'chai'
import { requestCode } from '../../src/linux/ioctl.ts'

describe('requestCode', () => {
  it('is the number that the kernel’s headers come to', () => {
    expect(requestCode('in', 0x94, 9, 4)).to.equal(1_074_041_865)
    expect(requestCode('out', 0x94, 31, 1024)).to.equal(2_214_630_431)
    expect(requestCode('both', 0x94, 18, 4096)).to.equal(3_489_698_834)
    expect(requestCode('none', 0x94, 8, 0)).to.equal(37_896)
  })
})
