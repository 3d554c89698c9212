@testable import FalconStorage

/// Sorted files for the tests.
enum SortedFixture {
    /// Writes what `changes` come to when their range deletes are done first: a file's range deletes
    /// hide nothing of the file.
    @discardableResult
    static func write(
        _ changes: [LedgerChange], to path: String, options: EngineOptions = .small,
        _ environment: StorageEnvironment
    ) throws -> SortedFile {
        let writer = try SortedFileWriter(path: path, options: options, environment: environment)
        var points: [String: LedgerChange] = [:]
        for change in changes {
            switch change {
            case .put(let key, _), .delete(let key): points[key] = change
            case .deleteRange(let lower, let upper):
                try writer.deleteRange(lower: bytes(lower), upper: bytes(upper))
            }
        }
        for key in points.keys.sorted(by: { Array($0.utf8).lexicographicallyPrecedes($1.utf8) }) {
            switch points[key] {
            case .put(_, let value): try writer.put(key: bytes(key), value: bytes(value))
            default: try writer.delete(key: bytes(key))
            }
        }
        return try writer.finish()
    }

    /// The same changes in the order in which a file means them: range deletes first, one per key.
    static func normalized(_ changes: [LedgerChange]) -> [LedgerChange] {
        var points: [String: LedgerChange] = [:]
        var ranges: [LedgerChange] = []
        for change in changes {
            switch change {
            case .put(let key, _), .delete(let key): points[key] = change
            case .deleteRange: ranges.append(change)
            }
        }
        return ranges + points.sorted { $0.key < $1.key }.map(\.value)
    }
}

extension EngineFixture {
    /// Makes a sorted file of `changes` and ingests it.
    @discardableResult
    func ingest(
        _ changes: [LedgerChange], _ options: IngestOptions = .init(), at path: String = "/in.sst"
    ) throws -> CommitReceipt {
        if try fileSystem.exists(path) { try fileSystem.remove(path) }
        try SortedFixture.write(changes, to: path, environment)
        return try engine.ingest([path], options)
    }
}
