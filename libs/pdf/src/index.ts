export { statementPdf } from './statement-pdf'
