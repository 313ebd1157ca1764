import CDNNL

/// Throws unless a call of oneDNN succeeded.
///
/// - Throws: `ComputeError.outOfMemory` or `.library`.
func check(_ call: StaticString, _ status: dnnl_status_t) throws(ComputeError) {
  if status == dnnl_success { return }
  throw .library(call: call.description, status: name(status))
}

/// What a call of oneDNN gave, which is there if the call succeeded.
///
/// - Throws: `ComputeError.library` for a null pointer in spite of success.
func check<T>(_ call: StaticString, given value: T?) throws(ComputeError) -> T {
  guard let value = value else {
    throw .library(call: call.description, status: "a null pointer")
  }
  return value
}

private func name(_ status: dnnl_status_t) -> String {
  switch status {
  case dnnl_out_of_memory: "out of memory"
  case dnnl_invalid_arguments: "invalid arguments"
  case dnnl_unimplemented: "unimplemented"
  case cdnnl_last_implementation: "no implementation left"
  case dnnl_runtime_error: "a runtime error"
  case dnnl_not_required: "not required"
  default: "status \(status.rawValue)"
  }
}
