import CFalconPlatform

/// A node of ``EntryTree``, leaf and inner alike: up to 15 slots in arrival order, and a permutation
/// word that says which exist and in what order. A slot is written before the word that names it is
/// stored (release) and never again; a reader loads the word (acquire) and reads only the slots in it.
///
///     0    u64      permutation: count in bits 0-3, then one nibble per rank: the slot
///     8    u32      leaf: next leaf           inner: leftmost child
///     12   u32      leaf: previous leaf       inner: -
///     16   u16      prefix length p
///     18   u8       level, 0: leaf
///     19   u8       writer only: rank of the last insert
///     20   u8       writer only: length of its ascending run
///     21   u8       writer only: length of its descending run
///     leaf:
///     24   u32 x15  key bytes p..<p+4 of the slot's entry, big-endian, zero-padded
///     84   u32 x15  the slot's entry
///     144  prefix bytes
///     inner:
///     24   u64 x15  key bytes p..<p+8 of the slot's separator
///     144  u32 x15  the separator: an entry, the first of the child
///     204  u32 x15  the child at and above the separator
///     264  prefix bytes
///
/// A leaf's keys are neighbours, and 4 bytes tell them apart; separators may be of several tables.
struct TreeNode {
    static let slotCount = 15
    static let windowsOffset = 24
    static let leafEntriesOffset = 84
    static let innerEntriesOffset = 144
    static let childrenOffset = 204
    static let leafPrefixOffset = 144
    static let innerPrefixOffset = 264
    /// Prefixes are cut here: a node stays small, and a long key's tail is compared in full anyway.
    static let maximumPrefix = 512

    let pointer: UnsafeMutableRawPointer

    @inline(__always) init(_ pointer: UnsafeMutableRawPointer) { self.pointer = pointer }

    @inline(__always) var permutation: UInt64 { falcon_load_acquire_u64(pointer) }
    @inline(__always) func publish(permutation: UInt64) {
        falcon_store_release_u64(pointer, permutation)
    }

    @inline(__always) var level: UInt8 { pointer.load(fromByteOffset: 18, as: UInt8.self) }
    @inline(__always) var isLeaf: Bool { level == 0 }
    @inline(__always) var prefixLength: Int {
        Int(pointer.load(fromByteOffset: 16, as: UInt16.self))
    }
    /// What a node of this level and prefix takes: a multiple of 16.
    @inline(__always)
    static func byteCount(level: UInt8, prefixLength: Int) -> Int {
        ((level == 0 ? leafPrefixOffset : innerPrefixOffset) &+ prefixLength &+ 15) & ~15
    }
    @inline(__always) var byteCount: Int {
        TreeNode.byteCount(level: level, prefixLength: prefixLength)
    }
    @inline(__always) var prefix: UnsafeMutableRawPointer {
        pointer + (isLeaf ? TreeNode.leafPrefixOffset : TreeNode.innerPrefixOffset)
    }

    // Leaf links and inner children are replaced in place, whole, while readers run.
    @inline(__always) var next: UInt32 { falcon_load_acquire_u32(pointer + 8) }
    @inline(__always) func setNext(_ ref: UInt32) { falcon_store_release_u32(pointer + 8, ref) }
    @inline(__always) var previous: UInt32 { falcon_load_acquire_u32(pointer + 12) }
    @inline(__always) func setPrevious(_ ref: UInt32) {
        falcon_store_release_u32(pointer + 12, ref)
    }

    /// The slot's window as 8 bytes; of a leaf's only the first 4 are known, the others zero.
    @inline(__always) func window(_ slot: Int) -> UInt64 {
        isLeaf
            ? UInt64(leafWindow(slot)) &<< 32
            : pointer.load(fromByteOffset: TreeNode.windowsOffset &+ slot &* 8, as: UInt64.self)
    }
    @inline(__always) private func leafWindow(_ slot: Int) -> UInt32 {
        pointer.load(fromByteOffset: TreeNode.windowsOffset &+ slot &* 4, as: UInt32.self)
    }
    /// What of an 8-byte window a node of this level keeps.
    @inline(__always) static func kept(_ window: UInt64, level: UInt8) -> UInt64 {
        level == 0 ? window & 0xFFFF_FFFF_0000_0000 : window
    }
    @inline(__always) func entry(_ slot: Int) -> UInt32 {
        isLeaf ? leafEntry(slot) : innerEntry(slot)
    }
    @inline(__always) func leafEntry(_ slot: Int) -> UInt32 {
        pointer.load(fromByteOffset: TreeNode.leafEntriesOffset &+ slot &* 4, as: UInt32.self)
    }
    @inline(__always) func innerEntry(_ slot: Int) -> UInt32 {
        pointer.load(fromByteOffset: TreeNode.innerEntriesOffset &+ slot &* 4, as: UInt32.self)
    }
    @inline(__always) func setSlot(_ slot: Int, window: UInt64, entry: UInt32) {
        if isLeaf {
            pointer.storeBytes(
                of: UInt32(truncatingIfNeeded: window &>> 32),
                toByteOffset: TreeNode.windowsOffset &+ slot &* 4, as: UInt32.self)
            pointer.storeBytes(
                of: entry, toByteOffset: TreeNode.leafEntriesOffset &+ slot &* 4, as: UInt32.self)
        } else {
            pointer.storeBytes(
                of: window, toByteOffset: TreeNode.windowsOffset &+ slot &* 8, as: UInt64.self)
            pointer.storeBytes(
                of: entry, toByteOffset: TreeNode.innerEntriesOffset &+ slot &* 4, as: UInt32.self)
        }
    }

    /// Where the child of a rank lives: 0 the leftmost, else the one at separator `rank` - 1.
    @inline(__always) func childAddress(_ permutation: UInt64, rank: Int) -> UnsafeMutableRawPointer
    {
        rank == 0
            ? pointer + 8
            : pointer + (TreeNode.childrenOffset &+ 4 &* TreeNode.slot(permutation, rank &- 1))
    }
    @inline(__always) func child(_ permutation: UInt64, rank: Int) -> UInt32 {
        falcon_load_acquire_u32(childAddress(permutation, rank: rank))
    }

    @inline(__always) static func count(_ permutation: UInt64) -> Int { Int(permutation & 15) }
    @inline(__always) static func slot(_ permutation: UInt64, _ rank: Int) -> Int {
        Int((permutation &>> UInt64(truncatingIfNeeded: 4 &+ 4 &* rank)) & 15)
    }
    /// The permutation of `count` slots in slot order.
    @inline(__always) static func identity(_ count: Int) -> UInt64 {
        0xEDCB_A987_6543_2100 | UInt64(truncatingIfNeeded: count)
    }
    /// `permutation` with the next free slot inserted at `rank`.
    @inline(__always) static func inserting(_ permutation: UInt64, at rank: Int) -> UInt64 {
        let shift = UInt64(truncatingIfNeeded: 4 &+ 4 &* rank)
        let lowMask = (UInt64(1) &<< shift) &- 1
        let low = permutation & lowMask
        let high = (permutation & ~lowMask) &<< 4
        return (low | (permutation & 15) &<< shift | high) &+ 1
    }
}
