/// How one batch is committed.
public struct CommitOptions: Sendable {
    /// What must have happened before the commit is published and its completion called.
    public var durability: Durability
    /// The transaction the batch belongs to; nil allocates a number.
    public var transactionID: TransactionID?
    /// The database the batch belongs to, for change capture; 0 is the shared keyspace.
    public var database: DatabaseID
    /// Called once, on the committing thread inside the ordering section, when the batch has its
    /// place and timestamp but is neither durable nor visible. Must be a few instructions and must not call
    /// back into the engine.
    public var onOrdered: (@Sendable (Timestamp, LSN) -> Void)?

    /// By default synced, with a number of the engine's own, in the shared keyspace.
    public init(
        durability: Durability = .synced, transactionID: TransactionID? = nil,
        database: DatabaseID = DatabaseID(0),
        onOrdered: (@Sendable (Timestamp, LSN) -> Void)? = nil
    ) {
        self.durability = durability
        self.transactionID = transactionID
        self.database = database
        self.onOrdered = onOrdered
    }
}
