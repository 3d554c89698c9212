@testable import FalconStorage

/// A random history that is mostly range deletes, beside its model. Cursors stay open while rows are deleted,
/// flushed and compacted under them.
final class RangeDeleteRun {
    private struct Cursor {
        var iterator: RangeIterator
        /// What it must show, whatever came after it.
        var rows: [String]
        var keys: [String]
        /// The row it stands on; outside of `rows` where it is not valid.
        var place: Int
    }
    private let fixture: EngineFixture
    private var random: SplitMix64
    private var model = EngineModel()
    private var snapshots: [Snapshot] = []
    private var cursors: [Cursor] = []
    private var count = 0

    init(_ options: EngineOptions, seed: UInt64) throws {
        var options = options
        options.blobThresholdBytes = 100
        options.blobGarbagePercent = 10
        fixture = try EngineFixture(options: options)
        random = SplitMix64(seed: seed)
    }

    private func below(_ limit: Int) -> Int { Int(random.next() % UInt64(limit)) }
    private func key() -> String { below(60) == 0 ? "" : "k\(100 + below(200))" }

    func step() throws {
        switch below(100) {
        case 0..<30: try write()
        case 30..<45: try deleteRanges()
        case 45..<50: try ingest()
        case 50..<56: try fixture.engine.flush()
        case 56..<58: try fixture.engine.compact()
        case 58..<60:
            try fixture.engine.compact(KeyRange(lower: Array(key().utf8), upper: nil))
        case 60..<66:
            snapshots.append(fixture.engine.makeSnapshot())
            if snapshots.count > 4 { snapshots.remove(at: below(snapshots.count)).release() }
        case 66..<74: try openCursor()
        case 74..<94: try moveCursor()
        default: try readAll()
        }
    }

    // MARK: - Writing

    private func value() -> String {
        count += 1
        return below(3) == 0 ? EngineFixture.large("\(count)", count, count: 150) : "v\(count)"
    }

    private func write() throws {
        var changes: [LedgerChange] = []
        for _ in 0..<(1 + below(12)) {
            changes.append(below(6) == 0 ? .delete(key()) : .put(key(), value()))
        }
        try commit(changes)
    }

    /// Range deletes among puts, some with bounds that hold nothing.
    private func deleteRanges() throws {
        var changes: [LedgerChange] = []
        for _ in 0..<(1 + below(6)) {
            changes.append(below(3) == 0 ? .put(key(), value()) : .deleteRange(key(), key()))
        }
        try commit(changes)
    }

    private func commit(_ changes: [LedgerChange]) throws {
        let batch = WriteBatch()
        for change in changes {
            switch change {
            case .put(let key, let value): try batch.put(key, value)
            case .delete(let key): try batch.delete(key)
            case .deleteRange(let lower, let upper): try batch.deleteRange(lower, upper)
            }
        }
        let durability: Durability = [.buffered, .written, .synced][below(3)]
        let receipt = try fixture.engine.commitAndWait(
            batch, CommitOptions(durability: durability))
        note(changes, receipt.timestamp)
    }

    private func ingest() throws {
        var changes: [LedgerChange] = []
        for _ in 0..<(1 + below(10)) { changes.append(.put(key(), value())) }
        let (a, b) = (key(), key())
        if a != b { changes.append(.deleteRange(min(a, b), max(a, b))) }
        let receipt = try fixture.ingest(changes)
        note(SortedFixture.normalized(changes), receipt.timestamp)
    }

    private func note(_ changes: [LedgerChange], _ timestamp: Timestamp) {
        for change in changes {
            switch change {
            case .put(let key, let value): model.put(key, value, timestamp)
            case .delete(let key): model.put(key, nil, timestamp)
            case .deleteRange(let lower, let upper): model.deleteRange(lower, upper, timestamp)
            }
        }
    }

    // MARK: - Reading

    private func timestamp() -> Timestamp {
        let pick = below(snapshots.count + 1)
        return pick < snapshots.count
            ? snapshots[pick].timestamp : fixture.engine.publishedTimestamp
    }

    private func range() -> KeyRange {
        KeyRange(
            lower: below(2) == 0 ? nil : Array(key().utf8),
            upper: below(2) == 0 ? nil : Array(key().utf8))
    }

    private func openCursor() throws {
        let (range, at) = (range(), timestamp())
        let rows = model.rows(range, at: at)
        let cursor = Cursor(
            iterator: try fixture.engine.makeIterator(range, at: at), rows: rows,
            keys: rows.map { String($0.prefix { $0 != "=" }) }, place: -1)
        if cursors.count == 5 { cursors.remove(at: below(5)) }
        cursors.append(cursor)
    }

    private func moveCursor() throws {
        guard !cursors.isEmpty else { return }
        let chosen = below(cursors.count)
        var cursor = cursors[chosen]
        if !cursor.iterator.isValid || below(6) == 0 { try seek(&cursor) }
        for _ in 0..<(1 + below(12)) {
            try check(cursor)
            guard cursor.iterator.isValid else { break }
            if below(3) > 0 {
                try cursor.iterator.next()
                cursor.place += 1
            } else {
                try cursor.iterator.previous()
                cursor.place -= 1
            }
        }
        try check(cursor)
        cursors[chosen] = cursor
    }

    private func seek(_ cursor: inout Cursor) throws {
        let target = key()
        switch below(4) {
        case 0:
            try cursor.iterator.seekToFirst()
            cursor.place = 0
        case 1:
            try cursor.iterator.seekToLast()
            cursor.place = cursor.rows.count - 1
        case 2:
            try cursor.iterator.seek(bytes(target))
            cursor.place = cursor.keys.firstIndex { $0 >= target } ?? cursor.keys.count
        default:
            try cursor.iterator.seekBefore(bytes(target))
            cursor.place = cursor.keys.lastIndex { $0 < target } ?? -1
        }
    }

    private func check(_ cursor: Cursor) throws {
        let iterator = cursor.iterator
        let found = iterator.isValid ? text(iterator.key) + "=" + text(iterator.value) : nil
        let expected = cursor.rows.indices.contains(cursor.place) ? cursor.rows[cursor.place] : nil
        if found != expected {
            throw Mismatch("cursor at \(found ?? "the end"), model at \(expected ?? "the end")")
        }
    }

    private func readAll() throws {
        let (range, at) = (range(), timestamp())
        let rows = model.rows(range, at: at)
        if try fixture.rows(range, at: at) != rows { throw Mismatch("scan of \(range) at \(at)") }
        if try fixture.rows(range, at: at, backward: true) != rows.reversed() {
            throw Mismatch("reverse scan of \(range) at \(at)")
        }
        for _ in 0..<8 {
            let key = key()
            let (found, expected) = (try fixture.get(key, at: at), model.get(key, at: at))
            if found != expected {
                throw Mismatch("\(key) at \(at): \(found ?? "none"), model \(expected ?? "none")")
            }
        }
    }
}
