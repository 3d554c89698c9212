@testable import FalconStorage

/// The log's decoders: record bodies, and segments as a reader meets them.
enum FuzzWAL {
    static let decoders: [(name: String, run: @Sendable (UnsafeRawBufferPointer) -> Void)] = [
        ("segment", segment), ("commit", commit), ("batch part", part),
        ("incarnation", { _ = IncarnationRecord($0) }),
        ("closed timestamp", { _ = ClosedTimestampRecord($0) }),
        ("checkpoint", { _ = CheckpointRecord($0) }),
        ("restore point", { _ = RestorePointRecord($0) }),
    ]

    @Sendable private static func commit(_ bytes: UnsafeRawBufferPointer) {
        guard let view = CommitRecordView(bytes) else { return }
        walk(view.operations())
    }

    @Sendable private static func part(_ bytes: UnsafeRawBufferPointer) {
        guard let view = BatchPartView(bytes) else { return }
        walk(view.operations())
    }

    private static func walk(_ operations: WALOperationIterator) {
        var operations = operations
        var sum = 0
        while let operation = operations.next() {
            sum &+= operation.key.reduce(0) { $0 &+ Int($1) }
            sum &+= operation.value.count &+ (operation.before?.count ?? 0)
        }
    }

    /// One segment, read as recovery reads it and as the tools do.
    @Sendable private static func segment(_ bytes: UnsafeRawBufferPointer) {
        var contents = Array(bytes)
        FuzzRepair.segment(&contents)
        for mode in [WALReader.Mode.strict, .tolerant] {
            let fileSystem = MemoryFileSystem()
            do {
                try fileSystem.createDirectory("/wal")
                try fileSystem.create(
                    "/wal/" + FileNames.hex(1) + ".wal", contents: contents)
                let reader = try WALReader(directory: "/wal", fileSystem: fileSystem, mode: mode)
                while let record = try reader.next() {
                    if record.tag == .commit { commit(record.body) }
                    if record.tag == .batchPart { part(record.body) }
                }
                _ = reader.verdict.end
            } catch {}
        }
    }
}
