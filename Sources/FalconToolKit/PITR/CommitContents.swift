import FalconChanges
import FalconSchema
import FalconStorage

/// What one commit or ingestion changed, table by table.
struct CommitContents {
    /// Rows of one table, or of other storage.
    struct Table {
        /// `schema.table`, or `storage DATABASE/NUMBER` where no schema that can be read names it.
        var name: String
        /// Nil where the storage is no database's that is known.
        var database: String?
        var inserts = 0
        var updates = 0
        var deletes = 0
        var truncates = 0
        /// The table was made, or its definition changed.
        var definitions = 0
        var drops = 0
        /// What no statement asked for: rewrites, rows of ingested files.
        var others = 0

        mutating func add(_ operation: TableOperation) {
            switch operation {
            case .insert: inserts += 1
            case .update: updates += 1
            case .delete: deletes += 1
            case .truncate: truncates += 1
            case .drop: drops += 1
            }
        }

        fileprivate var counts: [(String, Int)] {
            [
                ("insert", inserts), ("update", updates), ("delete", deletes),
                ("truncate", truncates), ("define", definitions), ("drop", drops),
                ("other", others),
            ]
        }
    }

    /// What is shown at most; a transaction of a database with very many tables has more.
    static let limit = 50

    private(set) var tables: [Table] = []
    /// Operations on indexes, sequences, and the rest of the catalog.
    private(set) var restCount = 0
    /// By their storage, or their catalog row.
    private var places: [[UInt8]: Int] = [:]

    /// Counts `transaction`; the catalog rows in it are taken into `names` on the way.
    mutating func add(
        _ transaction: ChangeTransaction, _ names: WALNames
    ) throws(StorageError) {
        try transaction.forEachOperation { operation throws(StorageError) in
            add(operation, names)
            try names.schema.take(operation)
            return true
        }
        resolve(names)
    }

    /// Counts the rows of ingested files: which table each belongs to, and how many there are.
    mutating func add(_ ingest: IngestRecord, _ names: WALNames) {
        for file in ingest.files {
            let place = file.smallest.withUnsafeBytes { self.place(ofRow: $0) }
            tables[place].others += Int(clamping: file.entryCount)
        }
        resolve(names)
    }

    private mutating func add(_ operation: WALOperation, _ names: WALNames) {
        if let dropped = TableOperation.definition(operation) {
            let place = place(of: Array(operation.key))
            if let table = names.schema.table(ofCatalogKey: operation.key) {
                name(place, table, names)
            }
            if dropped { tables[place].drops += 1 } else { tables[place].definitions += 1 }
            return
        }
        guard operation.operationClass == .row else {
            restCount += 1
            return
        }
        let place = place(ofRow: operation.key)
        if let change = TableOperation(operation) {
            tables[place].add(change)
        } else if operation.sql == .none {
            tables[place].others += 1
        }
    }

    /// Keys that no schema made are one.
    private mutating func place(ofRow key: UnsafeRawBufferPointer) -> Int {
        let isTables =
            key.count >= KeyCodec.prefixLength && key.first == 0 && key.dropFirst(4).first == 0
        return place(of: isTables ? Array(key.prefix(KeyCodec.prefixLength)) : [])
    }

    private mutating func place(of key: [UInt8]) -> Int {
        if let known = places[key] { return known }
        places[key] = tables.count
        tables.append(Table(name: ""))
        return tables.count - 1
    }

    private mutating func name(_ place: Int, _ table: TableView, _ names: WALNames) {
        tables[place].name = table.name
        tables[place].database = names.schema.databaseName(table.descriptor.database)
    }

    /// Names what was counted, with the schema as the commit left it, and joins a table's rows with its definition.
    private mutating func resolve(_ names: WALNames) {
        for (key, place) in places where tables[place].name.isEmpty {
            key.withUnsafeBytes { key in
                if let table = names.table(of: key) {
                    name(place, table, names)
                } else {
                    tables[place].name = names.storage(of: key) ?? "keys without a schema"
                }
            }
        }
        var joined: [String: Table] = [:]
        for table in tables {
            let key = (table.database ?? "") + "." + table.name
            guard var sum = joined[key] else {
                joined[key] = table
                continue
            }
            sum.inserts += table.inserts
            sum.updates += table.updates
            sum.deletes += table.deletes
            sum.truncates += table.truncates
            sum.definitions += table.definitions
            sum.drops += table.drops
            sum.others += table.others
            joined[key] = sum
        }
        places = [:]
        tables = joined.values.sorted {
            ($0.database ?? "", $0.name) < ($1.database ?? "", $1.name)
        }
    }

    // MARK: What is said

    /// A line for each table.
    var lines: [String] {
        var lines = tables.prefix(Self.limit).map { table in
            let counts = table.counts.filter { $0.1 > 0 }.map { "\($0.1) \($0.0)" }
            let place = table.database.map { " (database \($0))" } ?? ""
            return table.name + place + ": " + counts.joined(separator: ", ")
        }
        if tables.count > Self.limit {
            lines.append("and \(tables.count - Self.limit) tables more")
        }
        if restCount > 0 { lines.append("indexes and catalog: \(restCount)") }
        return lines
    }

    var json: JSONValue {
        .object([
            (
                "tables",
                .array(
                    tables.prefix(Self.limit).map { table in
                        .object(
                            [("table", .string(table.name)), ("database", .text(table.database))]
                                + table.counts.map { ($0.0, .count($0.1)) })
                    })
            ),
            ("table_count", .count(tables.count)), ("rest", .count(restCount)),
        ])
    }
}

extension SchemaHistory {
    /// Takes in an operation where it is the catalog's. What cannot be decoded leaves its table nameless.
    func take(_ operation: WALOperation) throws(StorageError) {
        guard operation.operationClass == .catalog else { return }
        switch operation.kind {
        case .put:
            do throws(StorageError) {
                try apply(key: operation.key, value: operation.value)
            } catch  where error.code == .corruption || error.code == .unsupportedFormat {}
        case .delete: forget(catalogKey: operation.key)
        default: break
        }
    }
}
