import { createRoot } from 'react-dom/client'
import { BrowserRouter } from 'react-router'
import '@fontsource-variable/public-sans/wght.css'
import './shared/style/portal.scss'
import { App } from './app'
import { startTheme } from './shared/theme'
import { startWords } from './shared/words'

startTheme()
startWords()
createRoot(document.getElementById('portal')!).render(
  <BrowserRouter>
    <App />
  </BrowserRouter>,
)
