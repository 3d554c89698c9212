import FalconSchema
import FalconStorage

/// What a comment is about.
struct CommentKey: Hashable, Sendable {
    /// The system relations whose objects may have one: their OIDs.
    static let relations = OID(1259)
    static let constraints = OID(2606)
    static let schemas = OID(2615)
    static let databases = OID(1262)
    static let roles = OID(1260)

    var object: OID
    /// The system relation that has the object: an index and its constraint have the same OID here.
    var catalog: OID
    /// A column's number; 0: the object itself.
    var column: Int32 = 0

    /// Databases and roles belong to no database.
    private var isShared: Bool { catalog == Self.databases || catalog == Self.roles }

    /// Where it is stored, seen from `database`.
    func encoded(in database: DatabaseID) -> [UInt8] {
        let prefix = Self.prefix(of: object, in: isShared ? CatalogKeys.shared : database)
        return [catalog.rawValue, UInt32(bitPattern: column)].reduce(into: prefix) { key, number in
            withUnsafeBytes(of: number.bigEndian) { key.append(contentsOf: $0) }
        }
    }

    /// What the keys of all comments on an object, its columns included, begin with.
    static func prefix(of object: OID, in database: DatabaseID) -> [UInt8] {
        CatalogKeys.key(database, CatalogKeys.comments, object)
    }

    init(object: OID, catalog: OID, column: Int32 = 0) {
        self.object = object
        self.catalog = catalog
        self.column = column
    }

    /// Nil: the key is not of a comment.
    init?(_ key: UnsafeRawBufferPointer) {
        guard key.count == 20 else { return nil }
        func number(_ offset: Int) -> UInt32 {
            UInt32(bigEndian: key.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        }
        self.init(
            object: OID(number(8)), catalog: OID(number(12)),
            column: Int32(bitPattern: number(16)))
    }
}
