import FalconSchema
import FalconStorage

/// Does what a session's transaction owes its foreign keys and DEFERRABLE unique constraints. A lock that is not to be had throws
/// ``SQLError/lockWait`` as everywhere; what is done by then need not be done again.
struct ForeignKeyRunner {
    let session: Session

    /// So many constraints' probes and queries a session keeps.
    private static let mostKept = 512

    private var transaction: Transaction { session.transaction }
    private var display: DisplaySettings { session.functions.settings }

    /// What the current statement asked for, and what that asks for in turn.
    func fireImmediate() throws(SQLError) {
        guard transaction.foreignKeys.next < transaction.foreignKeys.immediate.count else { return }
        var round = Round()
        while let event = transaction.foreignKeys.nextImmediate() {
            try session.interrupt.check()
            try fire(event, &round)
            transaction.foreignKeys.finishedImmediate()
        }
    }

    /// What was deferred: all of it, or what concerns some constraints.
    func fireDeferred(of constraints: Set<OID>? = nil) throws(SQLError) {
        var round = Round()
        var index = 0
        while index < transaction.foreignKeys.deferred.count {
            let event = transaction.foreignKeys.deferred[index]
            let isWanted = constraints?.contains(event.reference.constraint) ?? true
            if isWanted, !event.isDone {
                try session.interrupt.check()
                try fire(event, &round)
                transaction.foreignKeys.finishedDeferred(index)
            }
            index += 1
        }
    }

    /// What one round of firing has found out.
    private struct Round {
        /// The last event's, whose locks are held.
        var probe: ForeignKeyProbe?
        /// Keys whose rows are there and locked: rows often name the same one.
        var known: Set<[UInt8]> = []
        static let mostKnown = 4096
    }

    private func fire(_ event: ForeignKeyEvent, _ round: inout Round) throws(SQLError) {
        if case .unique(let entry) = event.kind { return try recheck(event.reference, entry) }
        if round.probe?.key.oid != event.reference.constraint {
            round.probe = try probe(event.reference)
        }
        guard let probe = round.probe else { return }
        switch event.kind {
        case .written: try check(event, probe, &round)
        case .deleted(let old):
            round.known.removeAll()
            try act(probe.key.onDelete, probe, old, nil)
        case .changed(let old, let new):
            round.known.removeAll()
            try act(probe.key.onUpdate, probe, old, new)
        case .unique: break
        }
    }

    /// The constraint as it is once its tables are locked; nil when it has been dropped.
    private func probe(_ reference: ForeignKeyReference) throws(SQLError) -> ForeignKeyProbe? {
        while true {
            guard let (child, key) = transaction.catalog.foreignKey(reference) else { return nil }
            try transaction.lockRelation(child.oid, .rowShare)
            try transaction.lockRelation(key.referencedTable, .rowShare)
            let catalog = transaction.catalog
            guard let (now, _) = catalog.foreignKey(reference),
                let parent = catalog.tables[key.referencedTable]
            else { return nil }
            guard now.version == child.version else { continue }
            if let cached = session.foreignKeyProbes[key.oid], cached.serves(now, parent, catalog) {
                return cached
            }
            let made = try ForeignKeyProbe(
                child: now, key: key, parent: parent, catalogVersion: catalog.version,
                planner: StatementPlanner(catalog: session.catalog, context: session.functions))
            if session.foreignKeyProbes.count >= Self.mostKept {
                session.foreignKeyProbes.removeAll()
                session.foreignKeyQueries.removeAll()
            }
            session.foreignKeyProbes[key.oid] = made
            // Their text names tables and columns.
            session.foreignKeyQueries = session.foreignKeyQueries.filter {
                $0.key.constraint != key.oid
            }
            return made
        }
    }

    // MARK: Referencing rows

    private func check(
        _ event: ForeignKeyEvent, _ probe: ForeignKeyProbe, _ round: inout Round
    ) throws(SQLError) {
        guard
            let operation = try storage({ () throws(StorageError) in
                try transaction.batch.operation(at: event.ordinal)
            })
        else { return }
        let values = try probe.values(ofStored: operation.value)
        if values.contains(where: \.isNull) {
            // A later version has an event of its own.
            guard try isCurrent(operation) else { return }
            throw probe.mixedNulls
        }
        if let converted = try probe.converted(values, session.functions) {
            let entry = try probe.indexKey(converted)
            if round.known.contains(entry) { return }
            if try probe.lockReferenced(entry, transaction, newest: false) {
                if round.known.count < Round.mostKnown { round.known.insert(entry) }
                return
            }
        }
        if try isCurrent(operation) { throw probe.missing(values, display) }
    }

    /// The row is still as that operation wrote it.
    private func isCurrent(_ operation: WriteBatch.Operation) throws(SQLError) -> Bool {
        try transaction.ordinalWritten(operation.key) == operation.ordinal
    }

    // MARK: Referenced rows

    private func act(
        _ action: ForeignKeyDescriptor.Action, _ probe: ForeignKeyProbe, _ old: [Datum],
        _ new: [Datum]?
    ) throws(SQLError) {
        guard probe.mayBeReferenced(old) else { return }
        switch action {
        case .noAction:
            // Another row may have taken the key over.
            let entry = try probe.indexKey(old)
            if try probe.lockReferenced(entry, transaction, newest: true) { return }
            try refuseReferenced(probe, old)
        case .restrict: try refuseReferenced(probe, old)
        case .cascade:
            if let new {
                try change(.update, probe, old, new)
            } else {
                try change(.delete, probe, old)
            }
        case .setNull: try change(.setNull(isDelete: new == nil), probe, old)
        case .setDefault:
            try change(.setDefault(isDelete: new == nil), probe, old, looksAgain: false)
            // Rows whose default is the old key are as they were, and unchecked.
            try act(.noAction, probe, old, new)
        }
    }

    private func refuseReferenced(_ probe: ForeignKeyProbe, _ old: [Datum]) throws(SQLError) {
        if try query(.find, probe).run(old, newestSnapshot(), in: session) {
            throw probe.stillReferenced(old, display)
        }
    }

    /// Rows that a transaction's one snapshot does not show must not be left behind.
    private func change(
        _ kind: ForeignKeyQuery.Kind, _ probe: ForeignKeyProbe, _ old: [Datum],
        _ new: [Datum] = [], looksAgain: Bool = true
    ) throws(SQLError) {
        let keeps = transaction.isolation.keepsSnapshot
        let snapshot = keeps ? try transaction.statementSnapshot() : newestSnapshot()
        _ = try query(kind, probe).run(old + new, snapshot, in: session)
        if keeps, looksAgain, try query(.find, probe).run(old, newestSnapshot(), in: session) {
            throw ForeignKeyProbe.overtaken
        }
    }

    private func newestSnapshot() -> Snapshot {
        transaction.engine.makeSnapshot(owner: transaction.snapshotOwner)
    }

    private func query(
        _ kind: ForeignKeyQuery.Kind, _ probe: ForeignKeyProbe
    ) throws(SQLError) -> ForeignKeyQuery {
        let identity = ForeignKeyQuery.Identity(constraint: probe.key.oid, kind: kind)
        if let known = session.foreignKeyQueries[identity] { return known }
        let made = try ForeignKeyQuery(kind, probe)
        session.foreignKeyQueries[identity] = made
        return made
    }
}
