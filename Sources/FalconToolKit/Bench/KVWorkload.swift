/// One of `db_bench`'s workloads.
struct KVWorkload {
    enum Kind: Sendable {
        case fillSequential, fillRandom, fillSync, overwrite, deleteRandom
        case readRandom, readMissing, readSequential, readReverse, seekRandom, readWhileWriting
        case flush, compact, stats
    }

    private static let known: [(String, Kind)] = [
        ("fillseq", .fillSequential), ("fillrandom", .fillRandom), ("fillsync", .fillSync),
        ("overwrite", .overwrite), ("deleterandom", .deleteRandom), ("readrandom", .readRandom),
        ("readmissing", .readMissing), ("readseq", .readSequential),
        ("readreverse", .readReverse), ("seekrandom", .seekRandom),
        ("readwhilewriting", .readWhileWriting), ("flush", .flush), ("compact", .compact),
        ("stats", .stats),
    ]
    static let names = known.map(\.0)

    let name: String
    let kind: Kind

    init?(_ name: String) {
        guard let found = KVWorkload.known.first(where: { $0.0 == name }) else { return nil }
        self.name = name
        kind = found.1
    }

    /// Begins with an empty database.
    var isFresh: Bool { kind == .fillSequential || kind == .fillRandom || kind == .fillSync }
}
