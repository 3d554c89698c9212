/// json as checked text, jsonb as PostgreSQL prints it.
public enum JSONText {
    public static func validate(_ text: UnsafeRawBufferPointer) throws(SQLError) -> String {
        try TypeIO.validated(text)
    }
    public static func normalize(_ text: UnsafeRawBufferPointer) throws(SQLError) -> String {
        try TypeIO.validated(text)
    }
}
