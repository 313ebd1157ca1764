@testable import AviaryGraph

/// What is wrong with a graph's text; `none` for nothing.
func problem(_ text: String) -> String {
  do throws(GraphError) {
    _ = try Graph(json: JSON(parsing: text))
    return "none"
  } catch {
    return "\(error)"
  }
}

/// The text of a graph of these nodes, on an input `x` of three channels.
func graph(
  _ nodes: String, outputs: String = #"[{"name":"y","value":"x"}]"#, _ rest: String = ""
) -> String {
  #"{"version":2,"inputs":[{"name":"x","channels":3}],"nodes":["# + nodes + #"],"outputs":"#
    + outputs + rest + "}"
}
