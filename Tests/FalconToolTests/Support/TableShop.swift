@testable import FalconStorage

/// A closed database in memory whose bytes are always the same: three tables of a schema's rows, with
/// versions, tombstones, a deleted range and a large value. What is written bears ``marker``.
final class TableShop {
    static let marker = "alice"
    static let accounts = TestTable("accounts", storage: 1001)

    let memory = MemoryFileSystem()
    let clock = ManualClock()
    let environment: StorageEnvironment

    init() throws {
        environment = StorageEnvironment(
            fileSystem: memory, clock: clock, random: FalconStorage.SeededRandom(seed: 8))
        var options = EngineOptions()
        options.compactOnlyWhenAsked()
        options.closedTimestampMicros = 0
        options.blockBytes = 1024
        options.blobThresholdBytes = 1000
        let engine = try StorageEngine.open(at: "/db", options: options, environment: environment)
        let accounts = Self.accounts
        try Self.write(
            [TestTable.database("shop", 5), accounts.create]
                + (1...80).map { try accounts.put($0, "\(Self.marker) \($0)") }, engine)
        clock.advance(micros: 3_600_000_000)
        try Self.write(
            (1...10).map { try accounts.put($0, "\(Self.marker) \($0), again", .update) }
                + (11...30).map { try accounts.delete($0) }
                + [try accounts.put(99, String(repeating: Self.marker, count: 300))], engine,
            deleting: (try accounts.key(50), try accounts.key(55)))
        clock.advance(micros: 86_400_000_000)
        try Self.write((100..<140).map { try accounts.put($0, "\(Self.marker) \($0)") }, engine)
        try engine.close()
        clock.advance(micros: 10 * 86_400_000_000)
    }

    private static func write(
        _ operations: [LogBuilder.Operation], _ engine: StorageEngine,
        deleting range: (lower: [UInt8], upper: [UInt8])? = nil
    ) throws {
        let batch = WriteBatch()
        for operation in operations {
            if operation.kind == .delete {
                try batch.delete(operation.key)
            } else {
                try batch.put(operation.key, operation.value)
            }
        }
        if let range { try batch.deleteRange(range.lower, range.upper) }
        _ = try engine.commitAndWait(batch)
        try engine.flush()
    }

    /// Paths of files with that suffix, in order.
    func files(_ suffix: String) throws -> [String] {
        try memory.list("/db/sst").filter { $0.hasSuffix(suffix) }.sorted().map { "/db/sst/" + $0 }
    }

    /// Flips a bit in the first data block of a table.
    func damage(table: Int) throws {
        try LogFixture.patch(memory, try files(".sst")[table]) { $0[200] ^= 4 }
    }

    func verify(_ arguments: [String]) -> ToolRun { runVerify(memory, environment, arguments) }
}
