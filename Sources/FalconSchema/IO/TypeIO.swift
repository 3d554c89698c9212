import FalconStorage

/// Values to and from PostgreSQL's text and binary forms.
///
/// Encoders append to a ``ByteWriter``; no length prefix, the caller writes its own. NULL has no form
/// here: callers handle it first.
public enum TypeIO {
    /// Reads `text` as a value of `type`, its modifier applied as on input (varchar(n) too long is
    /// 22001, numeric(p,s) rounds).
    public static func parseText(
        _ text: UnsafeRawBufferPointer, type: SQLType, settings: DisplaySettings
    ) throws(SQLError) -> Datum {
        throw SQLError(.featureNotSupported, "not built yet")
    }

    public static func parseText(
        _ text: String, type: SQLType, settings: DisplaySettings
    ) throws(SQLError) -> Datum {
        throw SQLError(.featureNotSupported, "not built yet")
    }

    /// Appends the text form of a non-null value.
    public static func appendText(
        _ datum: Datum, type: OID, settings: DisplaySettings, to writer: inout ByteWriter
    ) {}

    /// The text form as a String, for messages and casts; "" for NULL.
    public static func text(_ datum: Datum, type: OID, settings: DisplaySettings) -> String { "" }

    /// Reads the binary form of `type` (22P03 when it is malformed), modifier not applied.
    public static func decodeBinary(
        _ bytes: UnsafeRawBufferPointer, type: SQLType, settings: DisplaySettings
    ) throws(SQLError) -> Datum {
        throw SQLError(.featureNotSupported, "not built yet")
    }

    /// Appends the binary form of a non-null value.
    public static func appendBinary(_ datum: Datum, type: OID, to writer: inout ByteWriter) {}

    /// Applies a type modifier: `explicit` casts truncate varchar(n), assignments raise 22001.
    public static func coerce(
        _ datum: Datum, toModifierOf type: SQLType, explicit: Bool
    ) throws(SQLError) -> Datum {
        datum
    }
}
