/// What a server says when it refuses a statement.
public struct ControlRefusal: Sendable, Equatable {
    public var sqlState: String
    public var message: String
    public var detail: String?
    public var hint: String?

    public init(
        sqlState: String, message: String, detail: String? = nil, hint: String? = nil
    ) {
        self.sqlState = sqlState
        self.message = message
        self.detail = detail
        self.hint = hint
    }
}
