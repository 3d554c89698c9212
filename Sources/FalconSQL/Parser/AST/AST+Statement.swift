import FalconSchema

extension AST {
    /// One SQL statement.
    public indirect enum Statement: Sendable {
        case select(Select)
        case insert(Insert)
        case update(Update)
        case delete(Delete)
        case merge(Merge)

        case createTable(CreateTable)
        case createTableAs(CreateTableAs)
        case createIndex(CreateIndex)
        case createSchema(CreateSchema)
        case createView(CreateView)
        case createSequence(CreateSequence)
        case alterSequence(AlterSequence)
        case alterTable(AlterTable)
        case rename(Rename)
        case setSchema(SetSchema)
        case reindex(Reindex)
        case createDatabase(CreateDatabase)
        case dropDatabase(DropDatabase)
        case role(RoleStatement)
        case schemaOwner(SchemaOwner)
        case drop(Drop)
        case truncate(Truncate)
        case comment(Comment)

        case transaction(Transaction)
        case set(SetVariable)
        /// SET TRANSACTION …; session: SET SESSION CHARACTERISTICS AS TRANSACTION ….
        case setTransaction(TransactionModes, isSession: Bool)
        case setTransactionSnapshot(String, isLocal: Bool)
        /// Nil: ALL.
        case setConstraints([TableName]?, isDeferred: Bool)
        case resetAll
        case show(String)
        case showAll
        case prepare(Prepare)
        case execute(Execute)
        /// Nil: DEALLOCATE ALL.
        case deallocate(String?)
        case copy(Copy)
        case explain(Explain)
        case vacuum(Vacuum)
        case checkpoint
        case discard(DiscardTarget)
        case declareCursor(DeclareCursor)
        case fetch(Fetch)
        /// Nil: CLOSE ALL.
        case closeCursor(String?)
        case lockTable(LockTable)
        case listen(String)
        case notify(String, payload: String?)
        /// Nil: UNLISTEN *.
        case unlisten(String?)

        /// The grammar knows it, FalconDB does not: the node's name, for 0A000.
        case unsupported(String)
    }
}
