import FalconSchema

/// What keeps something from being dropped, or goes with it under CASCADE.
enum DependentObject {
    case foreignKey(ForeignKeyReference)
    /// A column's default that names a sequence.
    case defaultValue(column: Int16, table: OID)
    /// A view that reads it.
    case view(OID)
}
