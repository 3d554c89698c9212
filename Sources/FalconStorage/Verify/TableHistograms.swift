/// How often which sizes occur, in powers of two: bucket 0 is the value 0, bucket n the values from
/// 2^(n-1) to below 2^n.
public struct SizeHistogram: Sendable, Hashable {
    /// By bucket; see ``bounds(_:)``.
    public private(set) var counts = [UInt64](repeating: 0, count: 65)
    /// The sum of all values.
    public private(set) var total: UInt64 = 0
    /// The largest value; 0 without any.
    public private(set) var largest: UInt64 = 0

    /// Without values.
    public init() {}

    /// How many values there are.
    public var count: UInt64 { counts.reduce(0, &+) }

    @inline(__always)
    mutating func add(_ value: Int) {
        let value = UInt64(truncatingIfNeeded: value)
        counts[64 &- value.leadingZeroBitCount] &+= 1
        total &+= value
        if value > largest { largest = value }
    }

    /// Takes in another histogram's values.
    public mutating func add(_ other: SizeHistogram) {
        for bucket in counts.indices { counts[bucket] &+= other.counts[bucket] }
        total &+= other.total
        largest = max(largest, other.largest)
    }

    /// The values of a bucket: from, and the first that is beyond.
    public static func bounds(_ bucket: Int) -> (from: UInt64, below: UInt64) {
        if bucket == 0 { return (0, 1) }
        return (1 << UInt64(bucket - 1), bucket == 64 ? .max : 1 << UInt64(bucket))
    }
}

/// What the entries and blocks of a table, or of several, are like.
public struct TableHistograms: Sendable, Hashable {
    /// Where ages are parted, in seconds.
    public static let ageBounds: [UInt64] = [
        1, 60, 600, 3600, 21_600, 86_400, 604_800, 2_592_000, 31_536_000,
    ]
    /// Where shares of tombstones are parted, in percent. Before them is a class for none at all, behind
    /// them one for nothing else.
    public static let densityBounds = [1, 10, 25, 50, 75, 100]

    /// Data blocks of one codec.
    public struct CodecUse: Sendable, Hashable {
        /// How many there are.
        public var blocks: UInt64 = 0
        /// Bytes before compression.
        public var rawBytes: UInt64 = 0
        /// Bytes as they lie in the file.
        public var storedBytes: UInt64 = 0
        /// Of no block.
        public init() {}
    }

    /// Bytes of user keys, each once however many versions it has.
    public var keyBytes = SizeHistogram()
    /// Of values in blob files: theirs, not the reference's. Tombstones have none.
    public var valueBytes = SizeHistogram()
    /// Versions in one table of each of its keys.
    public var versionsPerKey = SizeHistogram()
    /// By ``ageBounds``; the last are older than all of them.
    public var ages = [UInt64](repeating: 0, count: ageBounds.count + 1)
    /// Versions whose time is yet to come.
    public var futureVersions: UInt64 = 0
    /// Data blocks by their share of tombstones, by ``densityBounds``.
    public var tombstoneDensity = [UInt64](repeating: 0, count: densityBounds.count + 2)
    /// Data blocks by how they are compressed.
    public var codecs: [BlockCodec: CodecUse] = [:]
    /// What the filter lets through, where it was measured.
    public var filter = FilterMeasure()

    /// Of no table.
    public init() {}

    /// Takes in another table's.
    public mutating func add(_ other: TableHistograms) {
        keyBytes.add(other.keyBytes)
        valueBytes.add(other.valueBytes)
        versionsPerKey.add(other.versionsPerKey)
        for place in ages.indices { ages[place] &+= other.ages[place] }
        futureVersions &+= other.futureVersions
        for place in tombstoneDensity.indices {
            tombstoneDensity[place] &+= other.tombstoneDensity[place]
        }
        for (codec, use) in other.codecs {
            codecs[codec, default: .init()].blocks &+= use.blocks
            codecs[codec, default: .init()].rawBytes &+= use.rawBytes
            codecs[codec, default: .init()].storedBytes &+= use.storedBytes
        }
        filter.add(other.filter)
    }
}

/// Gathers a table's histograms while its entries pass by.
final class HistogramCollector {
    private(set) var histograms = TableHistograms()
    /// A version is older than ``TableHistograms/ageBounds`` says when it is below these.
    private let ageLimits: [UInt64]
    private let now: UInt64
    /// What stands for every entry's timestamp in an ingested file; nil: they have their own.
    private let ingested: UInt64?
    private var versions = 0

    /// - Parameter asOf: microseconds since 1970.
    init(asOf: UInt64, ingested: Timestamp?) {
        now = Timestamp.newest(atMicrosSince1970: asOf).rawValue
        ageLimits = TableHistograms.ageBounds.map {
            Timestamp.newest(atMicrosSince1970: asOf - min(asOf, $0 * 1_000_000)).rawValue
        }
        self.ingested = ingested?.rawValue
    }

    /// - Parameter valueBytes: nil for a tombstone.
    func add(_ entry: DataBlock.Entry, keyBytes: Int, isNewKey: Bool, valueBytes: Int?) {
        if isNewKey {
            endKey()
            histograms.keyBytes.add(keyBytes)
        }
        versions += 1
        if let valueBytes { histograms.valueBytes.add(valueBytes) }
        let timestamp = ingested ?? entry.timestamp
        if timestamp > now {
            histograms.futureVersions &+= 1
        } else {
            let place = ageLimits.firstIndex { timestamp > $0 } ?? ageLimits.count
            histograms.ages[place] &+= 1
        }
    }

    func endBlock(entries: UInt64, tombstones: UInt64) {
        guard entries > 0 else { return }
        let percent = Double(tombstones) / Double(entries) * 100
        let bounds = TableHistograms.densityBounds
        let place = bounds.firstIndex { percent < Double($0) } ?? bounds.count
        histograms.tombstoneDensity[tombstones == 0 ? 0 : place + 1] &+= 1
    }

    func addBlock(_ codec: BlockCodec, raw: Int, stored: Int) {
        histograms.codecs[codec, default: .init()].blocks &+= 1
        histograms.codecs[codec, default: .init()].rawBytes &+= UInt64(raw)
        histograms.codecs[codec, default: .init()].storedBytes &+= UInt64(stored)
    }

    func finish(_ filter: FilterMeasure?) -> TableHistograms {
        endKey()
        if let filter { histograms.filter = filter }
        return histograms
    }

    private func endKey() {
        if versions > 0 { histograms.versionsPerKey.add(versions) }
        versions = 0
    }
}
