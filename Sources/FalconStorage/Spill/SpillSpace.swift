import Synchronization

/// Where the batches of one engine spill: files of the directory `spill`, and tables once a batch is to be
/// committed. Thread-safe.
final class SpillSpace: Sendable {
    let store: TableStore
    let options: EngineOptions
    let allocateNumber: @Sendable () -> FileNumber
    let random: any StorageRandom
    private let hasDirectory = Atomic<Bool>(false)
    private let transactions = Atomic<UInt64>(0)
    private let written = Atomic<UInt64>(0)
    private let present = Atomic<Int>(0)

    /// - Parameter allocateNumber: gives the numbers of tables.
    init(
        store: TableStore, options: EngineOptions, random: any StorageRandom,
        allocateNumber: @escaping @Sendable () -> FileNumber
    ) {
        self.store = store
        self.options = options
        self.random = random
        self.allocateNumber = allocateNumber
    }

    func nextUID() -> UID { random.nextUID() }

    /// A new file under a name that nobody has: what a crash left is still there while a log is replayed.
    func create(_ name: (UInt64) -> String) throws(StorageError) -> any File {
        if !hasDirectory.load(ordering: .relaxed) {
            try store.fileSystem.createDirectoryIfMissing(store.names.spillDirectory)
            hasDirectory.store(true, ordering: .relaxed)
        }
        return try store.files.create(name(random.next()))
    }

    // MARK: - Figures

    func noteTransaction() { transactions.wrappingAdd(1, ordering: .relaxed) }

    func noteWritten(_ bytes: UInt64) {
        written.wrappingAdd(bytes, ordering: .relaxed)
        present.wrappingAdd(Int(clamping: bytes), ordering: .relaxed)
    }

    func noteRemoved(_ bytes: UInt64) {
        present.wrappingSubtract(Int(clamping: bytes), ordering: .relaxed)
    }

    func addStatistics(to statistics: inout EngineStatistics) {
        statistics.spilledTransactions = transactions.load(ordering: .relaxed)
        statistics.spilledBytes = written.load(ordering: .relaxed)
        statistics.spillFileBytes = UInt64(clamping: present.load(ordering: .relaxed))
    }
}
