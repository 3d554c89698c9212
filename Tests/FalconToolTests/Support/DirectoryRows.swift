@testable import FalconStorage

extension StorageEnvironment {
    /// What the directory at `path` holds, opened read-only.
    func rows(
        at path: String, _ encryption: EncryptionOptions? = nil
    ) throws -> [String: String] {
        var options = EngineOptions()
        options.isReadOnly = true
        options.encryption = encryption
        let engine = try StorageEngine.open(at: path, options: options, environment: self)
        defer { try? engine.close() }
        let cursor = try engine.makeIterator(.all, at: engine.publishedTimestamp)
        var found: [String: String] = [:]
        try cursor.seekToFirst()
        while cursor.isValid {
            found[String(decoding: cursor.key, as: UTF8.self)] = String(
                decoding: cursor.value, as: UTF8.self)
            try cursor.next()
        }
        return found
    }
}

extension EngineOptions {
    /// Tables stay as they are flushed, unless somebody asks for a compaction.
    mutating func compactOnlyWhenAsked() {
        level0CompactionTrigger = 100
        level0SlowdownTrigger = 200
        level0StopTrigger = 300
    }
}
