package factor

// News is what a person is told of their factors, by text message and mail, in
// the transaction that does it.
type News string

// The news; the texts of one begin with "factor.notice." and it.
const (
	NewsAdded      News = "added"
	NewsRemoved    News = "removed"
	NewsBypass     News = "bypass"      // helpdesk issued a bypass code
	NewsBypassUsed News = "bypass-used" // and somebody logged in with it
	NewsBackupUsed News = "backup-used" // a printed code was used
	NewsDevice     News = "device"      // a browser is remembered
	NewsForgotten  News = "forgotten"   // helpdesk had all browsers forgotten
)

// EvenUntold tells whether a change goes on where its person has been told of
// too much that day: one that lets nobody in who was not let in before. All else
// is refused, or whoever makes ten changes could add a factor that nobody hears of.
func (n News) EvenUntold() bool {
	return n == NewsRemoved || n == NewsForgotten || n == NewsBypassUsed || n == NewsBackupUsed
}
