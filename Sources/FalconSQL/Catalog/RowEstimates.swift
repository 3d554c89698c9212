import FalconSchema
import FalconStorage
import Synchronization

/// How many rows the tables of a database have, roughly, for the planner. As in PostgreSQL, nobody has to
/// ANALYZE a table for that: what it takes is known. Who does has old versions told from rows.
final class RowEstimates: Sendable {
    struct Estimate {
        var storage: StorageID
        var rows: Double

        /// Whether a plan made for it is still good.
        func isAlike(in database: DatabaseState, _ engine: StorageEngine) -> Bool {
            let now = database.rowEstimates.estimate(storage, of: database.id, in: engine).rows
            return now <= rows * 4 && rows <= now * 4
        }
    }
    private struct Entry {
        var rows: Double
        /// Until the log ends here it is taken as it is.
        var end: LSN
    }

    private let entries = Mutex<[StorageID: Entry]>([:])
    private struct Analysed {
        var found: TableStatistics
        /// What estimates begin with: as much less as old versions have been dropped since.
        var base: TableStatistics
    }
    private let analysed = Mutex<[StorageID: Analysed]>([:])
    private let analyses = Atomic<UInt64>(0)

    /// A table that is small now is soon larger, and plans for tables of this size are no worse for smaller ones.
    static let leastRows = 1000.0
    private static let entryLimit = 4096

    func estimate(
        _ storage: StorageID, of database: DatabaseID, in engine: StorageEngine
    ) -> Estimate {
        let end = engine.publishedEnd
        if let known = entries.withLock({ $0[storage] }), end <= known.end {
            return Estimate(storage: storage, rows: known.rows)
        }
        let versions = Double(
            engine.estimatedKeyCount(of: KeyRange(prefix: CatalogKeys.prefix(database, storage))))
        let estimate = Estimate(
            storage: storage, rows: max(Self.leastRows, rows(of: storage, versions)))
        let entry = Entry(rows: estimate.rows, end: Self.end(of: [estimate], from: end))
        entries.withLock { entries in
            // Most may be of tables that are gone.
            if entries.count >= Self.entryLimit { entries.removeAll() }
            entries[storage] = entry
        }
        return estimate
    }

    // MARK: ANALYZE

    /// Another number after each ANALYZE: plans are then looked at again.
    var generation: UInt64 { analyses.load(ordering: .relaxed) }

    func statistics(of storage: StorageID) -> TableStatistics? {
        analysed.withLock { $0[storage]?.found }
    }

    private func rows(of storage: StorageID, _ versions: Double) -> Double {
        analysed.withLock { all in
            guard let known = all[storage] else { return versions }
            let rows = known.base.rows(of: versions)
            if versions < known.base.versions {
                all[storage]?.base.rows = rows
                all[storage]?.base.versions = versions
            }
            return rows
        }
    }

    func set(_ statistics: TableStatistics, of storage: StorageID) {
        analysed.withLock { $0[storage] = Analysed(found: statistics, base: statistics) }
        entries.withLock { $0[storage] = nil }
        analyses.wrappingAdd(1, ordering: .relaxed)
    }

    /// Storage that nobody reads any more.
    func forget(_ storages: some Sequence<StorageID>) {
        analysed.withLock { all in for storage in storages { all[storage] = nil } }
    }

    /// A database that is made of another one begins with the other's.
    func copy(from other: RowEstimates) {
        let known = other.analysed.withLock { $0 }
        analysed.withLock { $0 = known }
    }

    /// How far the log has to grow from `place` for a table to be of another size: what makes it twice as large
    /// is hundreds of bytes for each row there is, or some dozens.
    static func end(of estimates: [Estimate], from place: LSN) -> LSN {
        guard let least = estimates.map(\.rows).min() else { return .max }
        let bytes = max(Double(64 << 10), min(least * 16, Double(64 << 20)))
        return place.advanced(by: UInt64(bytes))
    }
}
