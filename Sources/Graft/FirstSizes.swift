// Written by bindings/declare.py from include/graft.h: make declarations.
// The sizes are those of the first release that has the struct: Tests/ABI.
import CGraft

extension graft_model_options {
    static var firstSize: Int { 16 }
}

extension graft_encode_options {
    static var firstSize: Int { 40 }
}

extension graft_trainer_options {
    static var firstSize: Int { 184 }
}

extension graft_metrics {
    static var firstSize: Int { 88 }
}

extension graft_session_options {
    static var firstSize: Int { 32 }
}

extension graft_generate_options {
    static var firstSize: Int { 144 }
}

extension graft_token {
    static var firstSize: Int { 72 }
}
