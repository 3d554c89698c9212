@testable import FalconStorage

extension EngineOptions {
    /// Values of 100 bytes and more go to blob files.
    static var smallBlobs: EngineOptions {
        var options = EngineOptions.small
        options.blobThresholdBytes = 100
        return options
    }
}

extension EngineFixture {
    /// A value of `count` bytes that says whose it is and does not compress.
    static func large(_ key: String, _ round: Int = 0, count: Int = 400) -> String {
        var state = key.utf8.reduce(UInt64(round &+ 1) &* 0x9E37_79B9_7F4A_7C15) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01B3
        }
        var text = "\(key).\(round)."
        while text.utf8.count < count {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            text.append(Character(Unicode.Scalar(UInt8(33 + (state >> 33) % 90))))
        }
        return text
    }

    var blobs: EngineStatistics.Blobs { engine.statistics().blobs }
    var version: Version { engine.tree.state.version }

    func filesOnDisk(_ suffix: String) throws -> [String] {
        try fileSystem.list("/db/sst").filter { $0.hasSuffix(suffix) }.sorted()
    }

    /// What is on disk under `sst/` is what the version lists, and the live part is what tables say.
    func filesMatchVersion() throws -> Bool {
        let listed = version.blobs.entries.map { FileNames.blobName($0.file.number) }.sorted()
        var live: [FileNumber: UInt64] = [:]
        for level in version.levels {
            for file in level.files {
                for use in file.metadata.blobUses { live[use.file, default: 0] += use.records }
            }
        }
        return try filesOnDisk(".blob") == listed
            && version.blobs.entries.allSatisfy { live[$0.file.number] == $0.liveRecords }
    }
}
