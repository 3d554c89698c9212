import FalconSchema
import FalconStorage

/// VACUUM and ANALYZE.
extension Session {
    /// How far a statement over several tables has come: it begins again after each wait.
    private final class VacuumProgress {
        let targets: [Target]
        var next = 0
        var isCompacted = false
        /// What the transaction held before.
        let mark: Transaction.LockMark
        init(_ targets: [Target], _ mark: Transaction.LockMark) {
            self.targets = targets
            self.mark = mark
        }
    }

    private struct Target {
        var oid: OID
        var columns: [String]
        /// The name of a view, sequence or index: it is passed over.
        var refused: String?
    }

    /// As in PostgreSQL, each table is worked on under SHARE UPDATE EXCLUSIVE (FULL: ACCESS EXCLUSIVE), which
    /// VACUUM gives back before it goes on to the next. ANALYZE keeps it to the end of a transaction block.
    func runVacuum(
        _ vacuum: AST.Vacuum, _ run: StatementRun, _ sink: any ResultSink
    ) throws(SQLError) {
        if vacuum.isVacuum { try forbidBlock("VACUUM") }
        if vacuum.isVacuum, !vacuum.has("analyze"),
            vacuum.tables.contains(where: { !$0.columns.isEmpty })
        {
            throw SQLError(
                .featureNotSupported,
                "ANALYZE option must be specified when a column list is provided")
        }
        let progress: VacuumProgress
        if let known = run.utilityState as? VacuumProgress {
            progress = known
        } else {
            progress = VacuumProgress(try vacuumTargets(vacuum), transaction.lockMark)
            run.utilityState = progress
        }
        // First, so that what is counted are rows as they then lie.
        if vacuum.isVacuum, vacuum.tables.isEmpty, !progress.isCompacted {
            try compactDatabase()
            progress.isCompacted = true
        }
        while progress.next < progress.targets.count {
            try work(on: progress.targets[progress.next], vacuum, sink)
            if vacuum.isVacuum || !isInTransactionBlock {
                transaction.releaseLocks(to: progress.mark)
            }
            progress.next += 1
        }
    }

    private func vacuumTargets(_ vacuum: AST.Vacuum) throws(SQLError) -> [Target] {
        if vacuum.tables.isEmpty {
            let tables = transaction.catalog.tables.values.filter { table in
                !table.schema.hasPrefix(SessionCatalog.temporaryPrefix) || isTemporary(table)
            }
            return tables.map(\.oid).sorted().map { Target(oid: $0, columns: []) }
        }
        var targets: [Target] = []
        for (name, columns) in vacuum.tables {
            if let found = try catalog.relation(schema: name.schema, name: name.name),
                found.kind != .table
            {
                targets.append(Target(oid: found.oid, columns: columns, refused: name.name))
            } else {
                targets.append(Target(oid: try resolveTable(name).oid, columns: columns))
            }
        }
        return targets
    }

    private func work(
        on target: Target, _ vacuum: AST.Vacuum, _ sink: any ResultSink
    ) throws(SQLError) {
        if let name = target.refused {
            return tell(
                SQLError(
                    .warning,
                    "skipping \"\(name)\" --- cannot \(vacuum.isVacuum ? "vacuum" : "analyze") "
                        + "non-tables or special system tables", severity: .warning), sink)
        }
        if let virtual = VirtualTables.descriptor(oid: target.oid) {
            return try Self.checkColumns(target.columns, of: virtual)
        }
        let skips = vacuum.has("skip_locked")
        do throws(SQLError) {
            try transaction.lockRelation(
                target.oid, vacuum.has("full") ? .accessExclusive : .shareUpdateExclusive,
                mayWait: !skips)
        } catch {
            guard skips, error.state == .lockNotAvailable else { throw error }
            let name = transaction.catalog.tables[target.oid]?.name ?? ""
            tell(
                SQLError(
                    .lockNotAvailable,
                    "skipping \(vacuum.isVacuum ? "vacuum" : "analyze") of \"\(name)\" --- lock not "
                        + "available", severity: .warning), sink)
            return
        }
        // Dropped while it was waited for: there is nothing to do.
        guard let table = transaction.catalog.tables[target.oid] else { return }
        try Self.checkColumns(target.columns, of: table)
        if vacuum.isVacuum, !vacuum.tables.isEmpty { try compact(table) }
        try gatherStatistics(of: table)
    }

    private static func checkColumns(
        _ columns: [String], of table: TableDescriptor
    ) throws(SQLError) {
        for (index, column) in columns.enumerated() {
            guard table.columns.contains(where: { $0.name == column && !$0.isDropped }) else {
                throw SQLError(
                    .undefinedColumn,
                    "column \"\(column)\" of relation \"\(table.name)\" does not exist")
            }
            if columns[..<index].contains(column) {
                throw SQLError(
                    .duplicateColumn,
                    "column \"\(column)\" of relation \"\(table.name)\" appears more than once")
            }
        }
    }

    // MARK: Compaction

    /// Rows and index entries down to what the oldest snapshot still needs, so that their space is given back when
    /// it returns. Canceled like any statement, and what is compacted by then stays so.
    private func compact(_ table: TableDescriptor) throws(SQLError) {
        for storage in table.storages {
            try compact(KeyRange(prefix: CatalogKeys.prefix(table.database, storage)))
        }
    }

    /// All there is, what was dropped and the catalog included.
    private func compactDatabase() throws(SQLError) {
        let last = state.id.rawValue.addingReportingOverflow(1)
        try compact(
            KeyRange(
                lower: CatalogKeys.prefix(state.id, StorageID(0)),
                upper: last.overflow
                    ? nil : CatalogKeys.prefix(DatabaseID(last.partialValue), StorageID(0))))
    }

    private func compact(_ range: KeyRange) throws(SQLError) {
        do throws(StorageError) {
            try database.engine.compact(range) { _ in !interrupt.isSet }
        } catch {
            if interrupt.isSet { try interrupt.check() }
            throw SQLError(storage: error)
        }
    }
}

extension AST.Vacuum {
    /// An option that is on.
    fileprivate func has(_ name: String) -> Bool {
        options.last { $0.name.lowercased() == name }.map {
            $0.value == nil || $0.boolValue == true
        }
            ?? false
    }
}
