/// One of `db_bench`'s workloads.
struct KVWorkload {
    enum Kind: Sendable {
        case fillSequential, fillRandom, fillSync, overwrite, deleteRandom
        case readRandom, readMissing, multiReadRandom
        case readSequential, readReverse, seekRandom, readWhileWriting
        case ingest
        case flush, compact, waitForCompaction, open, replay, replayFlush, stats
    }

    private static let known: [(String, Kind)] = [
        ("fillseq", .fillSequential), ("fillrandom", .fillRandom), ("fillsync", .fillSync),
        ("overwrite", .overwrite), ("deleterandom", .deleteRandom), ("readrandom", .readRandom),
        ("readmissing", .readMissing), ("multireadrandom", .multiReadRandom),
        ("readseq", .readSequential),
        ("readreverse", .readReverse), ("seekrandom", .seekRandom),
        ("readwhilewriting", .readWhileWriting), ("ingest", .ingest), ("flush", .flush),
        ("compact", .compact), ("waitforcompaction", .waitForCompaction), ("open", .open),
        ("replay", .replay), ("replayflush", .replayFlush), ("stats", .stats),
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
    var isFresh: Bool {
        kind == .fillSequential || kind == .fillRandom || kind == .fillSync || kind == .ingest
    }

    /// Closes the database and opens it again: `open` as it was, the others to replay its log.
    var isReopening: Bool { kind == .open || kind == .replay || kind == .replayFlush }

    /// What `db_bench` calls an operation of this workload in its histograms.
    var operationName: String {
        switch kind {
        case .fillSequential, .fillRandom, .fillSync, .overwrite, .ingest: "write"
        case .deleteRandom: "delete"
        case .readRandom, .readMissing, .multiReadRandom, .readWhileWriting: "read"
        case .seekRandom: "seek"
        case .readSequential, .readReverse: "read"
        case .flush, .compact, .waitForCompaction, .open, .replay, .replayFlush, .stats: "op"
        }
    }
    /// Its keys and values are written, not read.
    var isWrite: Bool { operationName == "write" }
    /// Nothing in it waits for a write.
    var onlyReads: Bool {
        switch kind {
        case .readRandom, .readMissing, .multiReadRandom, .readSequential, .readReverse,
            .seekRandom,
            .stats:
            true
        default: false
        }
    }
    /// Its operations can be given moments of their own.
    var canBePaced: Bool {
        switch kind {
        case .readSequential, .readReverse, .ingest, .flush, .compact, .waitForCompaction,
            .open, .replay, .replayFlush, .stats:
            false
        default: true
        }
    }
}
