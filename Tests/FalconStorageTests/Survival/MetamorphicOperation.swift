@testable import FalconStorage

/// One step of a history. Whether it makes sense when it comes does not depend on the engine's options:
/// so every engine does the same and must answer the same.
enum MetamorphicOperation: Sendable {
    case write([LedgerChange], Durability)
    /// The same by a file from outside.
    case ingest([LedgerChange])
    case get(String)
    case getAt(String, snapshot: Int)
    /// Reads at the timestamp of a commit so many commits ago, if a snapshot holds it.
    case getPast(String, commitsAgo: Int)
    case newestCommit(String)
    case scan(KeyRange, backward: Bool, snapshot: Int?)
    case walk(KeyRange, from: String, steps: [Bool], snapshot: Int?)
    /// A scan with a transaction's own writes laid over it.
    case overlay([LedgerChange], KeyRange, backward: Bool)
    case openIterator(KeyRange, from: String)
    case stepIterator(Int, forward: Bool, count: Int)
    case takeSnapshot
    case releaseSnapshot(Int)
    case flush
    case compact(KeyRange)
    case checkpoint
    case readOnly
    case reopen
    /// What a power cut leaves after a synced commit is opened instead.
    case crash
}

/// Makes histories from a seed.
struct MetamorphicGenerator {
    private var random: SplitMix64

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    static func history(seed: UInt64, count: Int) -> [MetamorphicOperation] {
        var generator = MetamorphicGenerator(seed: seed)
        return (0..<count).map { _ in generator.next() }
    }

    private mutating func below(_ limit: Int) -> Int { Int(random.next() % UInt64(limit)) }

    private mutating func key() -> String {
        let number = below(400)
        return number % 6 == 0 ? "k\(number)" : "table/\(number / 40)/row/\(number)"
    }

    private mutating func range() -> KeyRange {
        var bounds = [key(), key()].sorted()
        if below(4) == 0 { bounds[0] = "" }
        return KeyRange(
            lower: bounds[0].isEmpty ? nil : Array(bounds[0].utf8),
            upper: below(4) == 0 ? nil : Array(bounds[1].utf8))
    }

    private mutating func changes() -> [LedgerChange] {
        let count = below(16) == 0 ? 30 + below(60) : 1 + below(4)
        return (0..<count).map { _ in
            let key = key()
            switch below(24) {
            case 0:
                let other = self.key()
                return key == other
                    ? .delete(key) : .deleteRange(min(key, other), max(key, other))
            case 1..<6: return .delete(key)
            default:
                let length = below(10) == 0 ? below(1500) : below(60)
                return .put(key, "v\(below(1 << 30))" + String(repeating: "y", count: length))
            }
        }
    }

    private mutating func snapshot() -> Int? { below(2) == 0 ? nil : below(8) }

    mutating func next() -> MetamorphicOperation {
        switch below(1000) {
        case 0..<20: .ingest(SortedFixture.normalized(changes()))
        case 20..<420: .write(changes(), [.buffered, .written, .synced][below(3)])
        case 420..<540: .get(key())
        case 540..<600: .getAt(key(), snapshot: below(8))
        case 600..<640: .getPast(key(), commitsAgo: below(40))
        case 640..<670: .newestCommit(key())
        case 670..<730: .scan(range(), backward: below(2) == 0, snapshot: snapshot())
        case 730..<800:
            .walk(
                range(), from: key(), steps: (0..<12).map { _ in below(2) == 0 },
                snapshot: snapshot())
        case 800..<825: .overlay(changes(), range(), backward: below(2) == 0)
        case 825..<845: .openIterator(range(), from: key())
        case 845..<910:
            .stepIterator(below(4), forward: below(3) > 0, count: 1 + below(6))
        case 910..<930: .takeSnapshot
        case 930..<945: .releaseSnapshot(below(8))
        case 945..<965: .flush
        case 965..<972: .compact(.all)
        case 972..<980: .compact(range())
        case 980..<984: .checkpoint
        case 984..<989: .readOnly
        case 989..<995: .reopen
        default: .crash
        }
    }
}
