import FalconStorage

/// The stored form of a table descriptor.
///
///     format u8 (1; 2 when a constraint of an index is DEFERRABLE, 3 when an index is partial, 4 when the
///                REPLICA IDENTITY is not DEFAULT, 5 when an index is not valid, 6 when one has columns of
///                INCLUDE: who does not know them must not write the table)
///     oid u32 | database u32 | schema oid u32 | schema | name | version varint | storage id u32
///     owner u32
///     primary key: column list
///     column count varint, each: name | attribute i16 | type u32 | modifier i32 | flags u8
///                                (1 not null, 2 dropped, 4 default, 8 missing value)
///                                [default text] [missing value]
///     index count varint, each: oid u32 | name | storage id u32 | flags u8 (1 unique, 2 primary,
///                               4 constraint, 8 deferrable, 16 initially deferred, 32 partial,
///                               64 primary key that is no body, 128 not valid) | column list
///                               [predicate | count varint, each attribute i16]
///     check count varint, each: oid u32 | name | expression
///     foreign key count varint, each: see ForeignKeyDescriptor (absent: none)
///     from format 4 on: replica identity u8, d, f, n or i as pg_class.relreplident | i: index oid u32
///     from format 6 on: for each index its columns of INCLUDE: count varint, each attribute i16
///
/// A column list is a varint count and per column attribute i16 and flags u8 (1 descending, 2 nulls
/// first). Numbers little-endian, strings length-prefixed. Bytes after the last part belong to a later
/// minor version and are ignored.
extension TableDescriptor {
    static let storedFormat: UInt8 = 6

    /// The least format that says what the table has.
    private var neededFormat: UInt8 {
        if indexes.contains(where: { !$0.included.isEmpty }) { return 6 }
        if indexes.contains(where: { !$0.isValid }) { return 5 }
        if replicaIdentity != .primaryKey { return 4 }
        if indexes.contains(where: { $0.predicate != nil }) { return 3 }
        return indexes.contains { $0.deferral != nil } ? 2 : 1
    }

    /// The stored form, which begins with a format version byte.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 256)
        let format = neededFormat
        writer.append(format)
        writer.appendFixed(oid.rawValue)
        writer.appendFixed(database.rawValue)
        writer.appendFixed(schemaOID.rawValue)
        writer.appendLengthPrefixed(schema)
        writer.appendLengthPrefixed(name)
        writer.appendVarint(UInt64(version))
        writer.appendFixed(storageID.rawValue)
        writer.appendFixed(ownerOID.rawValue)
        Self.append(primaryKey, to: &writer)
        writer.appendVarint(UInt64(columns.count))
        for column in columns {
            writer.appendLengthPrefixed(column.name)
            writer.appendFixed(column.attribute)
            writer.appendFixed(column.type.oid.rawValue)
            writer.appendFixed(column.type.modifier)
            var missing = ByteWriter()
            let kind = TypeRegistry.physical(column.type.oid)
            // A value that does not fit its type cannot be stored; the flag then stays clear.
            let hasMissing =
                !column.missingValue.isNull
                && (try? ValueCodec.append(column.missingValue, kind: kind, to: &missing)) != nil
            writer.append(
                (column.isNotNull ? 1 : 0) | (column.isDropped ? 2 : 0)
                    | (column.defaultExpression != nil ? 4 : 0) | (hasMissing ? 8 : 0))
            if let expression = column.defaultExpression { writer.appendLengthPrefixed(expression) }
            if hasMissing { writer.append(contentsOf: missing.bytes) }
        }
        writer.appendVarint(UInt64(indexes.count))
        for index in indexes {
            writer.appendFixed(index.oid.rawValue)
            writer.appendLengthPrefixed(index.name)
            writer.appendFixed(index.storageID.rawValue)
            writer.append(
                (index.isUnique ? 1 : 0) | (index.isPrimary ? 2 : 0) | (index.isConstraint ? 4 : 0)
                    | (index.deferral != nil ? 8 : 0)
                    | (index.deferral == .initiallyDeferred ? 16 : 0)
                    | (index.predicate != nil ? 32 : 0)
                    | (index.isPrimaryKey && !index.isPrimary ? 64 : 0)
                    | (index.isValid ? 0 : 128))
            Self.append(index.columns, to: &writer)
            if let predicate = index.predicate { Self.append(predicate, to: &writer) }
        }
        writer.appendVarint(UInt64(checks.count))
        for check in checks {
            writer.appendFixed(check.oid.rawValue)
            writer.appendLengthPrefixed(check.name)
            writer.appendLengthPrefixed(check.expression)
        }
        if !foreignKeys.isEmpty || format >= 4 {
            writer.appendVarint(UInt64(foreignKeys.count))
            for key in foreignKeys { key.append(to: &writer) }
        }
        if format >= 4 { replicaIdentity.append(to: &writer) }
        if format >= 6 {
            for index in indexes { writer.appendAttributes(index.included) }
        }
        return writer.bytes
    }

    private static func deferral(_ flags: UInt8) -> ConstraintDeferral? {
        if flags & 8 == 0 { return nil }
        return flags & 16 != 0 ? .initiallyDeferred : .initiallyImmediate
    }

    private static func append(_ predicate: IndexPredicate, to writer: inout ByteWriter) {
        writer.appendLengthPrefixed(predicate.expression)
        writer.appendAttributes(predicate.attributes)
    }

    private static func readPredicate(_ reader: inout ByteReader) -> IndexPredicate? {
        guard let expression = reader.readString(), let attributes = reader.readAttributes() else {
            return nil
        }
        return IndexPredicate(expression: expression, attributes: attributes)
    }

    private static func append(_ columns: [KeyColumn], to writer: inout ByteWriter) {
        writer.appendVarint(UInt64(columns.count))
        for column in columns {
            writer.appendFixed(column.attribute)
            writer.append((column.isDescending ? 1 : 0) | (column.nullsFirst ? 2 : 0))
        }
    }

    /// Throws XX001 when the bytes are not a descriptor, 0A000 when their format is newer.
    public init(decoding bytes: UnsafeRawBufferPointer) throws(SQLError) {
        guard let format = bytes.first, format > 0 else { throw Self.damaged }
        guard format <= Self.storedFormat else {
            throw SQLError(
                .featureNotSupported,
                "table descriptor has format \(format), newer than this server knows")
        }
        var reader = ByteReader(bytes)
        guard reader.skip(1), let parsed = Self.read(&reader, format) else { throw Self.damaged }
        self = parsed
    }

    private static var damaged: SQLError {
        SQLError(.dataCorrupted, "table descriptor is damaged")
    }

    private static func read(
        _ reader: inout ByteReader, _ format: UInt8
    ) -> TableDescriptor? {
        guard let oid = reader.readFixed(UInt32.self), let database = reader.readFixed(UInt32.self),
            let schemaOID = reader.readFixed(UInt32.self), let schema = reader.readString(),
            let name = reader.readString(), let version = reader.readVarint(),
            let version32 = UInt32(exactly: version), let storage = reader.readFixed(UInt32.self),
            let owner = reader.readFixed(UInt32.self), let primaryKey = readKey(&reader),
            let columnCount = reader.readVarint(), columnCount <= UInt64(reader.remaining)
        else { return nil }
        var columns: [ColumnDescriptor] = []
        for _ in 0..<columnCount {
            guard let column = readColumn(&reader) else { return nil }
            columns.append(column)
        }
        guard let indexCount = reader.readVarint(), indexCount <= UInt64(reader.remaining) else {
            return nil
        }
        var indexes: [IndexDescriptor] = []
        for _ in 0..<indexCount {
            guard let oid = reader.readFixed(UInt32.self), let name = reader.readString(),
                let storage = reader.readFixed(UInt32.self), let flags = reader.readByte(),
                let key = readKey(&reader)
            else { return nil }
            var predicate: IndexPredicate?
            if flags & 32 != 0 {
                guard let found = readPredicate(&reader) else { return nil }
                predicate = found
            }
            var index = IndexDescriptor(
                oid: OID(oid), name: name, storageID: StorageID(storage),
                isUnique: flags & 1 != 0, isPrimary: flags & 2 != 0,
                isConstraint: flags & 4 != 0, columns: key, deferral: Self.deferral(flags),
                isPrimaryKey: flags & (2 | 64) != 0, predicate: predicate)
            index.isValid = flags & 128 == 0
            indexes.append(index)
        }
        guard let checkCount = reader.readVarint(), checkCount <= UInt64(reader.remaining) else {
            return nil
        }
        var checks: [CheckDescriptor] = []
        for _ in 0..<checkCount {
            guard let oid = reader.readFixed(UInt32.self), let name = reader.readString(),
                let expression = reader.readString()
            else { return nil }
            checks.append(CheckDescriptor(oid: OID(oid), name: name, expression: expression))
        }
        var foreignKeys: [ForeignKeyDescriptor] = []
        if reader.remaining > 0 {
            guard let count = reader.readVarint(), count <= UInt64(reader.remaining) else {
                return nil
            }
            for _ in 0..<count {
                guard let key = ForeignKeyDescriptor(&reader) else { return nil }
                foreignKeys.append(key)
            }
        }
        var identity = ReplicaIdentity.primaryKey
        if format >= 4 {
            guard let found = ReplicaIdentity(&reader) else { return nil }
            identity = found
        }
        if format >= 6 {
            for place in indexes.indices {
                guard let included = reader.readAttributes() else { return nil }
                indexes[place].included = included
            }
        }
        return TableDescriptor(
            oid: OID(oid), database: DatabaseID(database), schemaOID: OID(schemaOID),
            schema: schema, name: name, version: version32, storageID: StorageID(storage),
            primaryKey: primaryKey, columns: columns, indexes: indexes, checks: checks,
            foreignKeys: foreignKeys, ownerOID: OID(owner), replicaIdentity: identity)
    }

    private static func readKey(_ reader: inout ByteReader) -> [KeyColumn]? {
        guard let count = reader.readVarint(), count <= UInt64(reader.remaining) else { return nil }
        var columns: [KeyColumn] = []
        for _ in 0..<count {
            guard let attribute = reader.readFixed(Int16.self), let flags = reader.readByte() else {
                return nil
            }
            columns.append(
                KeyColumn(
                    attribute: attribute, isDescending: flags & 1 != 0, nullsFirst: flags & 2 != 0))
        }
        return columns
    }

    private static func readColumn(_ reader: inout ByteReader) -> ColumnDescriptor? {
        guard let name = reader.readString(), let attribute = reader.readFixed(Int16.self),
            let type = reader.readFixed(UInt32.self), let modifier = reader.readFixed(Int32.self),
            let flags = reader.readByte()
        else { return nil }
        var column = ColumnDescriptor(
            name: name, attribute: attribute, type: SQLType(OID(type), modifier: modifier),
            isNotNull: flags & 1 != 0, isDropped: flags & 2 != 0)
        if flags & 4 != 0 {
            guard let expression = reader.readString() else { return nil }
            column.defaultExpression = expression
        }
        if flags & 8 != 0 {
            guard
                let value = ValueCodec.decode(
                    &reader, kind: TypeRegistry.physical(OID(type)))
            else { return nil }
            column.missingValue = value
        }
        return column
    }
}
