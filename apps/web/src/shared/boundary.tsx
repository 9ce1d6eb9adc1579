import { Component, type ReactNode } from 'react'
import { useLocation } from 'react-router'
import { Problem } from './api'
import { Failed } from './states'

class Catch extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state = { error: null as Error | null }
  static getDerivedStateFromError(error: Error) {
    return { error }
  }
  override render() {
    const { error } = this.state
    if (!error) return this.props.children
    // A chunk that can't be fetched is a lost connection, or a page from before an update: either way, load again.
    const isChunk = /dynamically imported module|module script/i.test(error.message)
    return (
      <Failed
        problem={error instanceof Problem ? error : new Problem(isChunk ? 0 : 500, error.message, 'PAGE')}
        reload={() => location.reload()}
      />
    )
  }
}

/** A page that breaks says so, and the way out of it still works. */
export function Boundary({ children }: { children: ReactNode }) {
  return <Catch key={useLocation().pathname}>{children}</Catch>
}
