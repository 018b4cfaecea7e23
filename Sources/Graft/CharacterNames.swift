/// Stands before the standard library's function for the name of a character, such as "LATIN SMALL
/// LETTER A".
///
/// Its tables have 0.55 MB, and nothing here asks for such a name. The linker is told to call this
/// one (Package.swift), so that it may leave the tables out: `Unicode.Scalar.Properties.name` is
/// nil inside the library.
///
/// - Returns: the length of the name: 0, for none.
@c(__wrap__swift_stdlib_getScalarName)
public func nameOfCharacter(_ scalar: UInt32, _ name: UnsafeMutablePointer<UInt8>?, _ capacity: Int) -> Int { 0 }
