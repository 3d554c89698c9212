@testable import FalconStorage

/// What an engine should hold: every version of every key, in a sorted dictionary.
struct EngineModel {
    struct Version {
        var timestamp: Timestamp
        var value: String?
    }
    /// Newest last.
    private(set) var versions: [String: [Version]] = [:]

    mutating func put(_ key: String, _ value: String?, _ timestamp: Timestamp) {
        versions[key, default: []].append(Version(timestamp: timestamp, value: value))
    }

    mutating func deleteRange(_ lower: String, _ upper: String, _ timestamp: Timestamp) {
        for key in versions.keys where lower <= key && key < upper {
            put(key, nil, timestamp)
        }
    }

    func get(_ key: String, at timestamp: Timestamp) -> String? {
        versions[key]?.last { $0.timestamp <= timestamp }?.value
    }

    func rows(_ range: KeyRange = .all, at timestamp: Timestamp) -> [String] {
        let lower = range.lower.map { String(decoding: $0, as: UTF8.self) }
        let upper = range.upper.map { String(decoding: $0, as: UTF8.self) }
        return versions.keys.filter { key in
            (lower.map { $0 <= key } ?? true) && (upper.map { key < $0 } ?? true)
        }.sorted().compactMap { key in
            get(key, at: timestamp).map { key + "=" + $0 }
        }
    }
}

/// The options a model run is repeated under: one history, many shapes, one answer.
enum EngineShape: String, CaseIterable, Sendable {
    case small, tinyTables, noFilter, largeMemtable, zstd, wideLevels

    var options: EngineOptions {
        var options = EngineOptions.small
        switch self {
        case .small: break
        case .tinyTables:
            options.memtableBytes = 16 << 10
            options.targetFileBytes = 4 << 10
            options.blockBytes = 256
            options.levelBaseBytes = 8 << 10
            options.levelMultiplier = 3
            options.level0CompactionTrigger = 2
            options.partitioningBytes = 256
        case .noFilter:
            options.filterBitsPerKey = 0
            options.blockCacheBytes = 0
        case .largeMemtable: options.memtableBytes = 8 << 20
        case .zstd:
            options.compression = .zstd
            options.bottomCompression = .none
            options.memtableBytes = 24 << 10
        case .wideLevels:
            options.levelMultiplier = 2
            options.levelBaseBytes = 4 << 10
            options.memtableBytes = 8 << 10
            options.compactionThreads = 2
        }
        return options
    }
}
