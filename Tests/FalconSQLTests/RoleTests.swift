import FalconSchema
import Testing

@testable import FalconSQL

/// Roles that are made: what they may, and that they stay.
@Suite struct RoleTests {
    private static let create = "SELECT pg_create_logical_replication_slot('s', 'falcon')"

    private func prepared() throws -> (TestDatabase, TestSession) {
        let database = try TestDatabase(durability: .synced)
        return (database, try database.session())
    }

    @Test func replicationIsForSlots() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        var other = try database.session(user: "rep")
        let refused = other.failure(Self.create)
        #expect(refused?.state == .insufficientPrivilege)
        #expect(
            refused?.message == "must be superuser or replication role to use replication slots")
        #expect(try s.tag("CREATE ROLE rep LOGIN REPLICATION") == "CREATE ROLE")
        #expect(other.failure(Self.create) == nil)
        try database.crash()
        other = try database.session(user: "rep")
        #expect(try other.query("SELECT count(*) FROM pg_replication_slots") == "1")
        #expect(other.failure("SELECT pg_drop_replication_slot('s')") == nil)
        let again = try database.session()
        #expect(try again.tag("ALTER ROLE rep NOREPLICATION") == "ALTER ROLE")
        #expect(other.failure(Self.create)?.state == .insufficientPrivilege)
    }

    @Test func attributesAreShown() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        try s.run("CREATE USER u; CREATE ROLE r REPLICATION CREATEDB; ALTER ROLE r CREATEROLE")
        let shown = """
            SELECT rolname, rolsuper, rolcanlogin, rolreplication, rolcreatedb, rolcreaterole, rolinherit
            FROM pg_roles ORDER BY oid
            """
        #expect(
            try s.query(shown)
                == "postgres|t|t|t|t|t|t\nu|f|t|f|f|f|t\nr|f|f|t|t|t|t")
        #expect(try s.query("SELECT 'r'::regrole, 'r'::regrole::oid::regrole") == "r|r")
        try database.restart()
        let later = try database.session()
        #expect(try later.query("SELECT count(*) FROM pg_roles WHERE rolreplication") == "2")
        #expect(try later.tag("DROP ROLE r, u") == "DROP ROLE")
        #expect(try later.query("SELECT rolname FROM pg_roles") == "postgres")
        #expect(try later.query("SELECT count(*) FROM pg_authid") == "1")
        try database.restart()
        #expect(try database.session().query("SELECT rolname FROM pg_roles") == "postgres")
    }

    @Test func whoMayNotLogInDoesNot() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        try s.run("CREATE ROLE r")
        #expect(throws: SQLError.self) { _ = try database.session(user: "r") }
        try s.run("ALTER ROLE r LOGIN")
        #expect(try database.session(user: "r").query("SELECT current_user") == "r")
    }

    /// Also of one that might not log in while it was there: names without a role may.
    @Test func theNameOfADroppedRoleDoesNotLogIn() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        try s.run("CREATE ROLE r; CREATE USER u")
        let open = try database.session(user: "u")
        try s.run("DROP ROLE r, u")
        func refusal(_ user: String) -> String {
            do {
                _ = try database.session(user: user)
                return "logged in"
            } catch let error as SQLError {
                return "\(error.severity) \(error.state.rawValue) \(error.message)"
            } catch { return "\(error)" }
        }
        for _ in 0..<2 {
            #expect(refusal("r") == "\(SQLError.Severity.fatal) 28000 role \"r\" does not exist")
            #expect(refusal("u") == "\(SQLError.Severity.fatal) 28000 role \"u\" does not exist")
            #expect(refusal("falcon") == "logged in" && refusal("postgres") == "logged in")
            try database.restart()
        }
        let later = try database.session()
        #expect(later.failure("ALTER ROLE r LOGIN")?.state == .undefinedObject)
        #expect(later.failure("SELECT 'r'::regrole")?.state == .undefinedObject)
        try later.run("CREATE ROLE r LOGIN")
        #expect(refusal("r") == "logged in")
        try database.restart()
        #expect(refusal("r") == "logged in")
        #expect(
            try database.session().query(
                "SELECT string_agg(rolname, ',' ORDER BY oid) FROM pg_roles") == "postgres,r")
        _ = open
    }

    /// Role statements are a part of their transaction, savepoints included.
    @Test func rolesAreMadeInTransactions() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        let roles = "SELECT string_agg(rolname, ',' ORDER BY oid) FROM pg_roles"
        let other = try database.session()
        try s.run("BEGIN; CREATE ROLE a; SAVEPOINT x; CREATE ROLE b; ALTER ROLE a LOGIN")
        #expect(try s.query(roles) == "postgres,a,b")
        #expect(try s.query("SELECT 'b'::regrole") == "b")
        #expect(try s.query("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'a'") == "t")
        #expect(try other.query(roles) == "postgres")
        try s.run("ROLLBACK TO x")
        #expect(try s.query(roles) == "postgres,a")
        #expect(try s.query("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'a'") == "f")
        try s.run("DROP ROLE a; CREATE ROLE a REPLICATION; COMMIT")
        #expect(try other.query(roles) == "postgres,a")
        try s.run("BEGIN; DROP ROLE a")
        #expect(try s.query(roles) == "postgres")
        try s.run("ROLLBACK")
        #expect(try s.query(roles) == "postgres,a")
        try s.run("BEGIN; ALTER ROLE a LOGIN")
        #expect(s.failure("SELECT 1 / 0") != nil)
        try s.run("COMMIT")
        try database.restart()
        let later = try database.session()
        #expect(
            try later.query(
                "SELECT rolname, rolcanlogin, rolreplication FROM pg_roles ORDER BY oid")
                == "postgres|t|t\na|f|t")
    }

    @Test func refusalsAreAsInPostgreSQL() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        try s.run("CREATE ROLE r")
        let other = try database.session(user: "somebody")
        let refusals: [(TestSession, String, String)] = [
            (s, "CREATE ROLE r", "42710 role \"r\" already exists"),
            (s, "CREATE ROLE pg_x", "42939 role name \"pg_x\" is reserved"),
            (s, "ALTER ROLE nix LOGIN", "42704 role \"nix\" does not exist"),
            (s, "DROP ROLE nix", "42704 role \"nix\" does not exist"),
            (s, "DROP ROLE postgres", "55006 current user cannot be dropped"),
            (s, "CREATE ROLE x LOGIN NOLOGIN", "42601 conflicting or redundant options"),
            (
                s, "CREATE ROLE x SUPERUSER",
                "0A000 roles with the attribute SUPERUSER are not supported yet"
            ),
            (s, "CREATE ROLE x PASSWORD 'y'", "0A000 passwords of roles are not supported yet"),
            (other, "CREATE ROLE x", "42501 permission denied to create role"),
            (
                other, "CREATE ROLE x REPLICATION",
                "42501 must be superuser to create replication users"
            ),
            (
                other, "ALTER ROLE r REPLICATION",
                "42501 must be superuser to alter replication roles or change replication attribute"
            ),
            (other, "DROP ROLE r", "42501 permission denied to drop role"),
        ]
        for (session, sql, expected) in refusals {
            let error = session.failure(sql)
            #expect("\(error?.state.rawValue ?? "") \(error?.message ?? "")" == expected)
        }
        #expect(try s.tag("DROP ROLE IF EXISTS nix") == "DROP ROLE")
        #expect(s.failure("CREATE ROLE x; SELECT 1 / 0") != nil)
        let unprepared = s.failure("CREATE ROLE x; BEGIN; PREPARE TRANSACTION 'p'")
        #expect(unprepared?.message == "cannot PREPARE a transaction that has changed roles")
        try s.run("ROLLBACK")
        #expect(try s.query("SELECT count(*) FROM pg_roles WHERE rolname = 'x'") == "0")
    }

    /// Nothing is done as another role: to say that there is none, or that it is done, would be wrong.
    @Test func sessionsDoNotBecomeOthers() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        try s.run("CREATE ROLE r")
        let other = try database.session(user: "somebody")
        let refusals: [(TestSession, String, String)] = [
            (s, "SET ROLE r", "0A000 SET ROLE to another role is not supported yet"),
            (
                s, "SET SESSION AUTHORIZATION r",
                "0A000 SET SESSION AUTHORIZATION to another role is not supported yet"
            ),
            (other, "SET ROLE r", "42501 permission denied to set role \"r\""),
            (other, "SET ROLE postgres", "42501 permission denied to set role \"postgres\""),
            (
                other, "SET SESSION AUTHORIZATION postgres",
                "42501 permission denied to set session authorization"
            ),
            (
                other, "SELECT set_config('role', 'postgres', false)",
                "42501 permission denied to set role \"postgres\""
            ),
            (
                s, "SELECT set_config('session_authorization', 'nix', false)",
                "22023 role \"nix\" does not exist"
            ),
            (s, "SELECT set_config('role', 'nix', true)", "22023 role \"nix\" does not exist"),
            (
                s, "SELECT set_config('role', 'r', false)",
                "0A000 SET ROLE to another role is not supported yet"
            ),
            (
                other, "SET SESSION AUTHORIZATION r",
                "42501 permission denied to set session authorization"
            ),
            (s, "SET ROLE nix", "22023 role \"nix\" does not exist"),
            (s, "SET SESSION AUTHORIZATION nix", "22023 role \"nix\" does not exist"),
        ]
        for (session, sql, expected) in refusals {
            let error = session.failure(sql)
            #expect("\(error?.state.rawValue ?? "") \(error?.message ?? "")" == expected)
        }
        try s.run("SET ROLE postgres; SET ROLE NONE; SET SESSION AUTHORIZATION postgres")
        #expect(try s.query("SELECT current_user, session_user") == "postgres|postgres")
        #expect(try s.query("SELECT set_config('role', 'none', false)") == "none")
        try other.run("SET ROLE somebody; SET ROLE NONE; SET SESSION AUTHORIZATION somebody")
    }

    @Test func ownersAreRoles() throws {
        let (database, s) = try prepared()
        defer { database.close() }
        try s.run("CREATE ROLE r; CREATE SCHEMA a; CREATE TABLE t (n int)")
        try s.run("CREATE VIEW v AS SELECT n FROM t; CREATE SEQUENCE q")
        for object in ["SCHEMA a", "TABLE t", "TABLE v", "VIEW v", "SEQUENCE q"] {
            let error = s.failure("ALTER \(object) OWNER TO nix")
            #expect(error?.state == .undefinedObject, "\(object)")
            #expect(error?.message == "role \"nix\" does not exist", "\(object)")
            for role in ["r", "postgres", "CURRENT_USER"] {
                let tag = object.prefix(while: { $0 != " " })
                #expect(try s.tag("ALTER \(object) OWNER TO \(role)") == "ALTER \(tag)")
            }
        }
        #expect(s.failure("ALTER SCHEMA nix OWNER TO r")?.state == .invalidSchemaName)
        #expect(s.failure("ALTER SCHEMA nix OWNER TO nix")?.state == .undefinedObject)
    }
}
