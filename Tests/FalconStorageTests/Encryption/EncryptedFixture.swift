import Testing

@testable import FalconStorage

/// Encrypted engines for the tests, and what may not be readable in their files.
enum EncryptedFixture {
    static let key = MasterKeySource.key([UInt8](repeating: 7, count: 32))
    static let otherKey = MasterKeySource.key([UInt8](repeating: 8, count: 32))
    /// In every key and value that these tests write.
    static let marker = "Geheimnis"

    /// Nothing is compressed, so that whatever is not encrypted can be read.
    static func options(
        _ encryption: EncryptionOptions? = EncryptionOptions(masterKey: key)
    ) -> EngineOptions {
        var options = EngineOptions.small
        options.encryption = encryption
        options.compression = .none
        options.bottomCompression = .none
        options.blobThresholdBytes = 300
        options.blockBytes = 512
        options.walRetainBytes = 128 << 10
        return options
    }

    /// Rows, large values, deletes and range deletes, in memtables, levels and the log.
    static func fill(_ engine: StorageEngine, rounds: Int = 12, from first: Int = 0) throws {
        for round in first..<(first + rounds) {
            let batch = WriteBatch()
            for row in 0..<40 {
                let size = row % 8 == 0 ? 700 : 60
                try batch.put(
                    "\(marker)/\(row)/\(round % 5)",
                    "\(round) \(marker) " + String(repeating: "\(marker) ", count: size / 10))
            }
            try batch.delete("\(marker)/\(round % 40)/1")
            try engine.commitAndWait(batch)
            if round % 4 == 3 {
                let ranges = WriteBatch()
                try ranges.deleteRange("\(marker)/2", "\(marker)/3")
                try engine.commitAndWait(ranges)
                try engine.flush()
            }
        }
    }

    /// Files in which the marker can be read.
    static func readable(_ memory: MemoryFileSystem) -> [String] {
        let wanted = Array(marker.utf8)
        return memory.snapshotContents().filter { path, bytes in
            contains(bytes, wanted)
        }.map(\.key).sorted()
    }

    static func contains(_ bytes: [UInt8], _ wanted: [UInt8]) -> Bool {
        guard let first = wanted.first, bytes.count >= wanted.count else { return false }
        return bytes.withUnsafeBytes { bytes in
            for start in 0...(bytes.count - wanted.count) where bytes[start] == first {
                if bytes[start..<(start + wanted.count)].elementsEqual(wanted) { return true }
            }
            return false
        }
    }

    static func open(
        _ memory: any FileSystem, _ options: EngineOptions = options(), at path: String = "/db",
        clock: any StorageClock = ManualClock()
    ) throws(StorageError) -> StorageEngine {
        try StorageEngine.open(
            at: path, options: options,
            environment: StorageEnvironment(
                fileSystem: memory, clock: clock, random: SystemRandom()))
    }
}
