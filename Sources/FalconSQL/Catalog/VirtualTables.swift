import FalconSchema
import FalconStorage

/// System relations computed from the catalog when they are read. Their storage id is 0.
enum VirtualTables {
    static func isVirtual(_ table: TableDescriptor) -> Bool { table.storageID.rawValue == 0 }

    static func descriptor(
        schema: String?, name: String, searchPath: [String]
    ) -> TableDescriptor? { nil }

    static func descriptor(oid: OID) -> TableDescriptor? { nil }

    static func rows(
        _ table: TableDescriptor, _ transaction: Transaction
    ) throws(SQLError) -> [[Datum]] { [] }
}
