/// The layers a read looks at and their changes: rotation, the end of a flush, a new version.
///
/// Lock order: commit section, then ``VersionSet``'s writer, then the state lock.
final class Tree: @unchecked Sendable {
    let cell: ReadStateCell
    /// Where memtables get their memory.
    let arenas: ArenaPool
    private let lock = Monitor()
    private var nextEpoch: UInt64

    init(
        active: MemtableLayer, immutables: [MemtableLayer], version: Version, nextEpoch: UInt64,
        shards: ReaderShards, arenas: ArenaPool
    ) {
        self.arenas = arenas
        cell = ReadStateCell(
            ReadState(active: active, immutables: immutables, version: version), shards: shards)
        self.nextEpoch = nextEpoch
    }

    var state: ReadState {
        lock.lock()
        defer { lock.unlock() }
        return cell.current
    }

    /// Puts a new memtable before the active one, which becomes immutable. Under the commit lock.
    func rotate(to table: MemTable) -> MemtableLayer {
        lock.lock()
        defer { lock.unlock() }
        let old = cell.current
        let layer = MemtableLayer(table: table, epoch: nextEpoch, lastLSN: old.active.lastLSN)
        nextEpoch += 1
        cell.replace(
            with: ReadState(
                active: layer, immutables: [old.active] + old.immutables, version: old.version))
        return layer
    }

    /// Puts a layer that is no memtable before everything written so far and under what is written from
    /// now on. Under the commit lock.
    /// - Parameters:
    ///   - make: makes it, given the epoch that orders it.
    ///   - fresh: the next active memtable; nil keeps the active one, which must be empty.
    func place(
        _ make: (UInt64) -> MemtableLayer, before fresh: MemTable?
    ) -> (placed: MemtableLayer, active: MemtableLayer) {
        lock.lock()
        defer { lock.unlock() }
        let old = cell.current
        let placed = make(nextEpoch)
        let active = MemtableLayer(
            table: fresh ?? old.active.table, epoch: nextEpoch + 1, lastLSN: placed.lastLSN)
        active.lastTimestamp = placed.lastTimestamp
        nextEpoch += 2
        cell.replace(
            with: ReadState(
                active: active,
                immutables: [placed] + (fresh == nil ? [] : [old.active]) + old.immutables,
                version: old.version))
        return (placed, active)
    }

    /// Replaces the version, and takes away the layer it has taken in.
    func install(_ version: Version, flushed: MemtableLayer? = nil) {
        lock.lock()
        defer { lock.unlock() }
        let old = cell.current
        cell.replace(
            with: ReadState(
                active: old.active, immutables: old.immutables.filter { $0 !== flushed },
                version: version))
    }

    /// Address space for a memtable that is rotated at `bytes`, or that must take one larger batch.
    static func arenaCapacity(_ bytes: Int, batchBytes: Int) -> Int {
        min(max(bytes + bytes / 2 + (16 << 20), batchBytes * 3 + (16 << 20)), 4 << 30)
    }
}
