import Synchronization

/// What scans of recent rows did not have to read. Thread-safe.
final class ScanCounters: Sendable {
    let tables = Atomic<UInt64>(0)
    let partitions = Atomic<UInt64>(0)
    let blocks = Atomic<UInt64>(0)

    func add(tables: Int = 0, partitions: Int = 0, blocks: Int = 0) {
        if tables > 0 { self.tables.wrappingAdd(UInt64(tables), ordering: .relaxed) }
        if partitions > 0 { self.partitions.wrappingAdd(UInt64(partitions), ordering: .relaxed) }
        if blocks > 0 { self.blocks.wrappingAdd(UInt64(blocks), ordering: .relaxed) }
    }
}
