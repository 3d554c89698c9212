import FalconChanges
import FalconSchema
import FalconStorage

/// Looks for the first transaction of a log that touches a table.
struct TableOperationSearch {
    /// Where it is.
    struct Place: Hashable {
        /// Where the record that commits it begins.
        var lsn: LSN
        var micros: UInt64
        /// 0 of an ingestion.
        var transaction: UInt64
        var operation: TableOperation
        /// As the schema had it then, with its database.
        var table: String
    }

    /// What came of a search.
    struct Outcome {
        /// Nil: nothing that is known to be on the table.
        var place: Place?
        /// What of the schema could not be read: the table may be there under a name that is not known.
        var problem: StorageError?
    }

    /// `name`, `schema.name` or `database.schema.name`; a table's OID; `DATABASE/STORAGE`, as plans show what no
    /// schema names.
    let table: String
    /// Nil: any.
    let operation: TableOperation?
    /// Transactions that commit before it are passed over.
    let since: Since?

    enum Since {
        case lsn(LSN)
        case time(UInt64)
    }

    let progress: () throws(StorageError) -> Void

    /// The first place in the log of `root` that commits at or before `end`.
    /// - Parameter loadSchema: brings the schema of a log that does not reach back to its beginning and has no
    ///   CHECKPOINT.
    func first(
        root: String, fileSystem: any FileSystem, isLive: Bool, until end: LSN?,
        loadSchema: (SchemaHistory) throws(StorageError) -> Void
    ) throws(StorageError) -> Outcome {
        let names = WALNames()
        var outcome = Outcome()
        if let first = try ChangeReader.firstLSN(root: root, fileSystem),
            first > ChangeReader.beginningLSN
        {
            outcome.problem = try names.schema.begin(root, fileSystem, loadSchema)
        }
        let reader = try ChangeReader(
            root: root, fileSystem: fileSystem, mode: isLive ? .live : .dead)
        var count = 0
        while let event = try reader.next() {
            count += 1
            if count & 1023 == 0 { try progress() }
            switch event {
            case .checkpoint(let checkpoint):
                outcome.problem = try names.schema.takeReadable(checkpoint) ?? outcome.problem
            case .ingest(let record, let lsn, let endLSN):
                if let end, endLSN > end { return outcome }
                outcome.place = find(record, lsn, names)
            case .transaction(let transaction):
                if let end, transaction.endLSN > end { return outcome }
                outcome.place = try find(transaction, names, &outcome.problem)
            }
            if outcome.place != nil { return outcome }
        }
        return outcome
    }

    private func find(
        _ transaction: ChangeTransaction, _ names: WALNames, _ problem: inout StorageError?
    ) throws(StorageError) -> Place? {
        let header = transaction.header
        let isSearched = isSearched(transaction.lsn, header.timestamp.microsSince1970)
        var found: (TableOperation, String)?
        var defines = false
        try transaction.forEachOperation { operation throws(StorageError) in
            if isSearched { found = match(operation, names) }
            if found != nil { return false }
            if operation.operationClass == .catalog { defines = true }
            problem = try names.schema.takeReadable(operation) ?? problem
            return true
        }
        if isSearched, defines, found == nil {
            // Rows may stand before the definition of their table that came with them.
            try transaction.forEachOperation { operation throws(StorageError) in
                found = match(operation, names)
                return found == nil
            }
        }
        return found.map { kind, name in
            Place(
                lsn: transaction.lsn, micros: header.timestamp.microsSince1970,
                transaction: header.transaction.rawValue, operation: kind, table: name)
        }
    }

    /// Rows of ingested files count as inserts.
    private func find(_ ingest: IngestRecord, _ lsn: LSN, _ names: WALNames) -> Place? {
        let micros = ingest.timestamp.microsSince1970
        guard operation ?? .insert == .insert, isSearched(lsn, micros) else { return nil }
        for file in ingest.files {
            if let name = file.smallest.withUnsafeBytes({ named($0, names) }) {
                return Place(
                    lsn: lsn, micros: micros, transaction: 0, operation: .insert, table: name)
            }
        }
        return nil
    }

    private func isSearched(_ lsn: LSN, _ micros: UInt64) -> Bool {
        switch since {
        case nil: true
        case .lsn(let first): lsn >= first
        case .time(let first): micros >= first
        }
    }

    private func match(
        _ operation: WALOperation, _ names: WALNames
    ) -> (TableOperation, String)? {
        if TableOperation.definition(operation) == true {
            guard self.operation ?? .drop == .drop,
                let view = names.schema.table(ofCatalogKey: operation.key), isWanted(view, names)
            else { return nil }
            return (.drop, fullName(view, names))
        }
        guard let kind = TableOperation(operation), kind == self.operation ?? kind,
            let name = named(operation.key, names)
        else { return nil }
        return (kind, name)
    }

    /// The table of a row's key, when it is the wanted one.
    private func named(_ key: UnsafeRawBufferPointer, _ names: WALNames) -> String? {
        if let view = names.schema.table(of: key) {
            return isWanted(view, names) ? fullName(view, names) : nil
        }
        guard let place = KeyCodec.parsePrefix(key),
            table == "\(place.database.rawValue)/\(place.storage.rawValue)"
        else { return nil }
        return "storage " + table
    }

    private func isWanted(_ view: TableView, _ names: WALNames) -> Bool {
        let descriptor = view.descriptor
        return [
            view.name, descriptor.name, fullName(view, names), descriptor.oid.description,
            "\(descriptor.database.rawValue)/\(descriptor.storageID.rawValue)",
        ].contains(table)
    }

    private func fullName(_ view: TableView, _ names: WALNames) -> String {
        names.schema.databaseName(view.descriptor.database) + "." + view.name
    }
}
